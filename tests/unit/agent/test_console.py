"""The agent's lines on every console of the kernel."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.console import ConsoleHandler
from agent.core import consoles
from agent.core.consoles import Consoles


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("agent", logging.INFO, "", 0, message, None, None)


def test_a_line_reaches_every_console_that_takes_it(tmp_path: Path) -> None:
    active = tmp_path / "active"
    active.write_text("tty0 ttyS0 ttyS1\n")
    for name in ("tty0", "ttyS0", "ttyS1"):
        os.mkfifo(tmp_path / name)
    # Nobody reads ttyS0: opening it to write fails at once, and must not stop the others.
    readers = [os.open(tmp_path / name, os.O_RDONLY | os.O_NONBLOCK) for name in ("tty0", "ttyS1")]
    ConsoleHandler(Consoles(active, tmp_path)).handle(record("step storage done (1.2 s)"))
    for reader in readers:
        assert os.read(reader, 100) == b"slipway-agent: step storage done (1.2 s)\r\n"
        os.close(reader)


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple[ConsoleHandler, int]]:
    """A console that takes nothing more, and where to read what it has."""
    (tmp_path / "active").write_text("ttyS0\n")
    os.mkfifo(tmp_path / "ttyS0")
    reader = os.open(tmp_path / "ttyS0", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "ttyS0", os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 1000)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b".")
    yield ConsoleHandler(Consoles(tmp_path / "active", tmp_path)), reader
    os.close(reader)
    os.close(writer)


def test_a_busy_console_gets_its_line_later(
    busy: tuple[ConsoleHandler, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, reader = busy
    got = bytearray()
    monkeypatch.setattr(time, "sleep", lambda _seconds: got.extend(os.read(reader, 1 << 20)))
    handler.handle(record("ready"))
    got.extend(os.read(reader, 1 << 20))
    assert got.strip(b".") == b"slipway-agent: ready\r\n"


def test_a_console_that_stays_busy_is_left_out(
    busy: tuple[ConsoleHandler, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, reader = busy
    monkeypatch.setattr(consoles, "BUSY_SECONDS", 0.05)
    handler.handle(record("ready"))
    # It was waited for once, and is no more.
    monkeypatch.setattr(time, "sleep", lambda _seconds: pytest.fail("waits again"))
    handler.handle(record("still ready"))
    assert os.read(reader, 1 << 20).strip(b".") == b""
    handler.handle(record("ready again"))
    assert os.read(reader, 1 << 20) == b"slipway-agent: ready again\r\n"


def test_a_machine_without_consoles(tmp_path: Path) -> None:
    handler = ConsoleHandler(Consoles(tmp_path / "active", tmp_path))
    handler.handle(record("text"))
    assert list(tmp_path.iterdir()) == []
