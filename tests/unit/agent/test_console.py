"""The agent's lines on every console of the kernel."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from agent.console import ConsoleHandler


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("agent", logging.INFO, "", 0, message, None, None)


def test_a_line_reaches_every_console_that_takes_it(tmp_path: Path) -> None:
    active = tmp_path / "active"
    active.write_text("tty0 ttyS0 ttyS1\n")
    for name in ("tty0", "ttyS0", "ttyS1"):
        os.mkfifo(tmp_path / name)
    # Nobody reads ttyS0: opening it to write fails at once, and must not stop the others.
    readers = [os.open(tmp_path / name, os.O_RDONLY | os.O_NONBLOCK) for name in ("tty0", "ttyS1")]
    ConsoleHandler(active, tmp_path).handle(record("step storage done (1.2 s)"))
    for reader in readers:
        assert os.read(reader, 100) == b"slipway-agent: step storage done (1.2 s)\r\n"
        os.close(reader)


def test_a_machine_without_consoles(tmp_path: Path) -> None:
    handler = ConsoleHandler(tmp_path / "active", tmp_path)
    handler.handle(record("text"))
    assert list(tmp_path.iterdir()) == []
