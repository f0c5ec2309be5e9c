"""A whole installation as its followers see it; only the hardware and its tools are not there."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.core.errors import SlipwayError
from installer import engine, medium, reporting, start
from installer.answers.load import Loaded
from installer.execute import target
from installer.execute.executor import Installation
from installer.execute.files import NodeIdentity
from installer.report.events import Event
from installer.session.machine import Machine
from tests.unit.answers.files import MINIMAL, load
from tests.unit.answers.servers import AnswerServer, reply, serving
from tests.unit.network.machines import STATIC, nic
from tests.unit.storage.machines import disk, machine

NODE = NodeIdentity("0123456789abcdef0123456789abcdef", {})


@dataclass
class Run:
    """One run of the unattended front end, and what is seen of it.

    error: what the first action raises; left: how the machine was left.
    """

    tables: dict[str, Any] = field(default_factory=dict)
    error: Exception | None = None
    left: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def publish(self, topic: str, text: str) -> None:
        """What clients that send commands are told."""

    def close(self) -> None:
        """The socket's end: nothing comes after it."""
        self.events.append(Event(phase="message", path=(), text="closed"))

    def load(self, _report: object) -> Loaded:
        return load(MINIMAL | {"network": STATIC} | self.tables)

    def execute(self) -> NodeIdentity:
        if self.error:
            raise self.error
        return NODE

    def texts(self) -> list[str]:
        """The words of all messages and failures, without those that depend on the answer."""
        texts = [event.text for event in self.events if event.text]
        return [text for text in texts if not text.startswith("warning: ")]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    run = Run()
    found = {"interfaces": (nic(1),), "cpu_virtualization": True}
    inventory = machine(disk("sda")).model_copy(update=found)
    empty = medium.Medium(version="1", kernel_version="6.12", files={}, folder=tmp_path)
    (tmp_path / "installer.log").write_text("the log\n")
    nobody = {"ACTIVE": tmp_path / "no-consoles", "EventServer": lambda answering: run}
    replaced: dict[object, dict[str, object]] = {
        engine: {"identify": lambda: {"dmi": {}}, "probe": lambda: inventory},
        reporting: nobody,
        start: {
            "LOG": tmp_path / "installer.log",
            "start_log": lambda _path: None,
            "find_answer": run.load,
        },
        Machine: {"leave": lambda _machine, mode: run.left.append(mode)},
    }
    for where, replacements in replaced.items():
        for name, replacement in replacements.items():
            monkeypatch.setattr(where, name, replacement)
    monkeypatch.setattr(medium, "load", lambda: empty)
    monkeypatch.setattr(target, "unmount", lambda _target: None)
    monkeypatch.setattr(Installation, "execute", lambda _installation, _begin: run.execute())
    return run


def hook(server: AnswerServer) -> dict[str, str]:
    return {"url": f"http://127.0.0.1:{server.port}/"}


def sent(server: AnswerServer) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in server.asked]


def test_success(run: Run) -> None:
    with serving(reply(200)) as server, serving(reply(200)) as post:
        run.tables = {"webhook": hook(server), "post-installation-webhook": hook(post)}
        assert start.run(unattended=True) == 0
    assert run.left == ["reboot"]
    assert run.texts() == ["started", "plan made", "installed", "closed"]
    steps = [event.path for event in run.events if event.phase == "finish"]
    assert steps == [
        ("look for an answer file",),
        ("installation", "look at the machine and plan"),
        ("installation", "check the installation medium"),
        ("installation",),
    ]
    assert [document["event"] for document in sent(server)] == ["start", "success"]
    assert sent(post)[0]["machine-id"] == NODE.machine_id
    assert sent(server)[1]["node"] == sent(post)[0]


@pytest.mark.parametrize("restart", [False, True])
def test_failure(run: Run, restart: bool) -> None:
    run.error = SlipwayError("is gone", where="/dev/sda")
    with serving(reply(200)) as server:
        run.tables = {
            "webhook": hook(server),
            "global": MINIMAL["global"] | {"reboot-on-error": restart},
        }
        assert start.run(unattended=True) == 1
    assert run.left == (["reboot"] if restart else [])
    assert run.texts()[:3] == ["started", "plan made", "/dev/sda: is gone"]
    assert [event.phase for event in run.events].count("failure") == 1
    assert [document["event"] for document in sent(server)] == ["start", "failure"]
    assert sent(server)[1]["error"]["where"] == "/dev/sda"
    assert sent(server)[1]["log"] == "the log\n"


def test_a_defect_is_a_failure_too(run: Run) -> None:
    run.error = ZeroDivisionError("division by zero")
    assert start.run(unattended=True) == 1
    failures = [event.text for event in run.events if event.phase == "failure"]
    assert len(failures) == 1
    assert "a defect of the installer: ZeroDivisionError" in failures[0]


def test_an_account_of_the_node_is_refused_before_anything_is_done(run: Run) -> None:
    run.tables = {"users": [{"name": "daemon", "password": "correct horse"}]}
    run.error = AssertionError("something was done")
    assert start.run(unattended=True) == 1
    assert "an account or a group daemon of its own" in run.texts()[1]


def test_a_program_that_is_not_there_is_an_error_before_anything_is_done(run: Run) -> None:
    run.error = AssertionError("something was done")
    with serving(reply(404)) as server:
        run.tables = {"first-boot": {"source": "from-url", **hook(server)}}
        assert start.run(unattended=True) == 1
    assert "the program for the first boot cannot be fetched: HTTP status 404" in run.texts()[2]


def test_nobody_can_follow_where_the_socket_cannot_be(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def no_socket(**_arguments: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(reporting, "EventServer", no_socket)
    assert start.run(unattended=True) == 0
    assert run.left == ["reboot"]
    assert "nobody can follow the installation" in caplog.text
