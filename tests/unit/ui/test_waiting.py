"""Consoles are left to the installer's lines until a person is needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from installer.report.server import EventServer
from installer.session.session import Session
from installer.ui.client import Connection
from installer.ui.main import connect
from installer.ui.terminal import kernel_consoles
from installer.ui.waiting import Waiting
from tests.unit.ui.machines import FakeMachine

LIMIT = 30.0


class Console:
    """A console with a front end that waits. terminal: both ends of what is typed."""

    def __init__(self, path: Path) -> None:
        self.terminal = os.pipe()
        self.connection = Connection(path)
        waiting = Waiting(self.connection)
        self.thread = threading.Thread(
            target=waiting.until_needed, args=(self.terminal[0],), daemon=True
        )
        self.thread.start()

    def ended(self) -> bool:
        self.thread.join(LIMIT)
        return not self.thread.is_alive()

    def close(self) -> None:
        self.connection.close()
        for end in self.terminal:
            os.close(end)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(FakeMachine(), lambda _topic, _text: None)


@pytest.fixture
def server(tmp_path: Path, session: Session) -> Iterator[EventServer]:
    server = EventServer(tmp_path / "installer.sock", session)
    yield server
    server.close(seconds=0)


@pytest.fixture
def console(tmp_path: Path, server: EventServer) -> Iterator[Console]:
    console = Console(tmp_path / "installer.sock")
    yield console
    console.close()


def test_until_people_are_asked(console: Console, server: EventServer, session: Session) -> None:
    session.update(stage="installing")
    server.publish("state", session.state.model_dump_json())
    assert console.thread.is_alive()
    session.update(stage="choosing", attended=True)
    server.publish("state", session.state.model_dump_json())
    assert console.ended() and not console.connection.ended
    # The engine still writes its lines there: nothing has been drawn yet.
    assert session.consoles() == frozenset()


def test_until_somebody_presses_enter(console: Console) -> None:
    os.write(console.terminal[1], b"x")
    assert console.thread.is_alive()
    os.write(console.terminal[1], b"\n")
    assert console.ended() and not console.connection.ended


def test_until_the_installer_has_ended(console: Console, server: EventServer) -> None:
    server.close(seconds=0.1)
    assert console.ended() and console.connection.ended


def test_nobody_listens(tmp_path: Path) -> None:
    assert connect(tmp_path / "nothing.sock", 0.0) is None


def test_the_screen_is_the_first_of_the_virtual_terminals(tmp_path: Path) -> None:
    active = tmp_path / "active"
    active.write_text("tty0 ttyS0\n")
    assert kernel_consoles(active) == {"tty1", "ttyS0"}
    assert kernel_consoles(tmp_path / "nothing") == frozenset()
