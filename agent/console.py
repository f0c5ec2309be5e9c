"""The agent's log: one line per event, in the system's journal and on every console."""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path

ACTIVE = Path("/sys/class/tty/console/active")
DEVICES = Path("/dev")
BUSY_SECONDS = 2.0


class ConsoleHandler(logging.Handler):
    """Writes each record to all consoles of the kernel. A console that fails is left out."""

    def __init__(self, active: Path, devices: Path) -> None:
        super().__init__(logging.INFO)
        self.active = active
        self.devices = devices
        self.setFormatter(logging.Formatter("slipway-agent: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{self.format(record)}\r\n".encode()
        for name in self._names():
            try:
                # A serial line with nobody behind it must not hold up the agent.
                console = os.open(self.devices / name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
                try:
                    _write(console, line)
                finally:
                    os.close(console)
            except OSError:
                continue

    def _names(self) -> list[str]:
        try:
            return self.active.read_text().split()
        except OSError:
            return []


def _write(console: int, line: bytes) -> None:
    """Write the line, and give up when the console has not taken it all in BUSY_SECONDS.

    A console is busy whenever another program, such as a login prompt, writes to it.
    """
    end = time.monotonic() + BUSY_SECONDS
    while line:
        try:
            line = line[os.write(console, line) :]
        except BlockingIOError:
            if time.monotonic() >= end:
                return
            time.sleep(0.01)


def set_up() -> None:
    """Send the agent's messages to consoles, and with every detail to standard output, which is
    the system's journal."""
    logger = logging.getLogger("agent")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(logging.StreamHandler(sys.stdout))
    logger.addHandler(ConsoleHandler(ACTIVE, DEVICES))
