"""The socket with real clients: early, late, slow, dead."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from installer.report.events import Report
from installer.report.server import EventServer

# More than the buffers of a unix socket hold (net.core.wmem_max is some hundred KiB).
MANY = 200
LONG = "x" * 10_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "installer.sock"


@pytest.fixture
def server(path: Path) -> Iterator[EventServer]:
    server = EventServer(path)
    yield server
    server.close(seconds=0)


@contextmanager
def client(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        yield connection


def read(connection: socket.socket, count: int) -> list[dict[str, Any]]:
    """The next events, one for each line."""
    with connection.makefile() as stream:
        return [json.loads(next(stream)) for _ in range(count)]


def test_only_root_may_use_it(server: EventServer, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_client_gets_all_events(server: EventServer, path: Path) -> None:
    report = Report([server])
    with client(path) as early:
        with report.step("installation"):
            report.message("plan made")
            with client(path) as late:
                first = read(late, 2)
                assert [(event["phase"], event["text"]) for event in first] == [
                    ("start", ""),
                    ("message", "plan made"),
                ]
                report.message("disks ready")
                assert read(late, 1)[0]["text"] == "disks ready"
        assert [event["phase"] for event in read(early, 4)] == [
            "start",
            "message",
            "message",
            "finish",
        ]


def test_clients_that_do_not_read_hold_up_nobody(server: EventServer, path: Path) -> None:
    report = Report([server])
    with client(path) as silent, client(path) as gone:
        report.message("first")
        read(gone, 1)
        gone.close()
        for number in range(MANY):
            report.message(f"{number} {LONG}")
        # One that comes late gets everything at once, while the silent one has its buffer full.
        with client(path) as late:
            assert len(read(late, MANY + 1)) == MANY + 1
        # The silent one reads at last, and has missed nothing.
        texts = [event["text"] for event in read(silent, MANY + 1)]
        assert texts == ["first", *(f"{number} {LONG}" for number in range(MANY))]


def test_the_end_waits_for_those_who_read(server: EventServer, path: Path) -> None:
    report = Report([server])
    with client(path) as reading, reading.makefile() as stream:
        report.message("started")
        assert json.loads(next(stream))["text"] == "started"
        report.message("installed")
        server.close()
        assert [json.loads(line)["text"] for line in stream] == ["installed"]


def test_the_end_does_not_wait_for_those_who_do_not(server: EventServer, path: Path) -> None:
    report = Report([server])
    with client(path) as silent:
        report.message("started")
        assert read(silent, 1)
        for _ in range(MANY):
            report.message(LONG)
        server.close(seconds=0.01)
        with pytest.raises(ConnectionRefusedError), client(path):
            pass


def test_an_old_socket_is_replaced(path: Path) -> None:
    EventServer(path).close()
    assert path.exists()
    second = EventServer(path)
    with client(path) as connection:
        Report([second]).message("hello")
        assert read(connection, 1)[0]["text"] == "hello"
    second.close()
