"""The monitor's client against a monitor played by a thread."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.lab.errors import LabError, LabTimeout
from tests.lab.qmp import Qmp

GREETING: dict[str, Any] = {"QMP": {"version": {}, "capabilities": []}}
DONE: dict[str, Any] = {"return": {}}
RESET = {"event": "RESET", "data": {"guest": True, "reason": "guest-reset"}}


class Monitor:
    """Plays QEMU: answers each command with the next of the prepared lists of messages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commands: list[dict[str, Any]] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()

    def play(self, *answers: Sequence[dict[str, Any]]) -> Qmp:
        self._thread = threading.Thread(target=self._serve, args=([[DONE], *answers],))
        self._thread.start()
        return Qmp(self.path)

    def _serve(self, answers: list[Sequence[dict[str, Any]]]) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rw") as stream:
            self._send(stream, GREETING)
            for answer in answers:
                self.commands.append(json.loads(stream.readline()))
                for message in answer:
                    self._send(stream, message)

    @staticmethod
    def _send(stream: Any, message: dict[str, Any]) -> None:
        stream.write(json.dumps(message) + "\r\n")
        stream.flush()

    def close(self) -> None:
        self._thread.join()
        self._listener.close()


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[Monitor]:
    made = Monitor(tmp_path / "m")
    yield made
    made.close()


def test_commands_and_their_answers(monitor: Monitor) -> None:
    qmp = monitor.play([{"return": {"status": "running"}}])
    assert qmp.execute("blockdev-add", node_name="x", read_only=True) == {"status": "running"}
    qmp.close()
    assert monitor.commands[0]["execute"] == "qmp_capabilities"
    assert monitor.commands[1] == {
        "execute": "blockdev-add",
        "arguments": {"node-name": "x", "read-only": True},
    }


def test_a_refused_command(monitor: Monitor) -> None:
    qmp = monitor.play([{"error": {"class": "GenericError", "desc": "no such bus"}}])
    with pytest.raises(LabError, match="device_add: no such bus"):
        qmp.execute("device_add")
    qmp.close()


def test_the_human_monitor_is_silent_when_it_succeeds(monitor: Monitor) -> None:
    qmp = monitor.play([{"return": ""}], [{"return": "Error: no disk\r\n"}])
    qmp.monitor("savevm one")
    with pytest.raises(LabError, match="loadvm one: Error: no disk"):
        qmp.monitor("loadvm one")
    qmp.close()
    assert monitor.commands[1]["arguments"] == {"command-line": "savevm one"}


def test_events_between_answers_are_kept_and_chosen_by_their_data(monitor: Monitor) -> None:
    host = {"event": "RESET", "data": {"guest": False, "reason": "host-qmp-system-reset"}}
    qmp = monitor.play([{"event": "RESUME"}, host, DONE, RESET])
    qmp.execute("cont")
    assert qmp.wait_event("RESET", 5, guest=True) == {"guest": True, "reason": "guest-reset"}
    qmp.close()


def test_an_event_that_does_not_come(monitor: Monitor) -> None:
    qmp = monitor.play([DONE])
    with pytest.raises(LabTimeout, match="waited 0.1 seconds for the event SHUTDOWN"):
        qmp.wait_event("SHUTDOWN", 0.1)
    qmp.execute("cont")
    qmp.close()


def test_the_end_of_qemu(monitor: Monitor) -> None:
    qmp = monitor.play()
    with pytest.raises(LabError, match="QEMU ended while waiting for the event RESET"):
        qmp.wait_event("RESET", 5)
    qmp.close()


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Qmp(tmp_path / "nothing")
