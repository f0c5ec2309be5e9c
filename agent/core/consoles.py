"""Lines on every console of the kernel: the screen, and the serial lines."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path

ACTIVE = Path("/sys/class/tty/console/active")
DEVICES = Path("/dev")
BUSY_SECONDS = 2.0


class Consoles:
    """All consoles. One that fails is left out; one that is busy is waited for, but only once.

    A console is busy whenever another program, such as a login prompt, writes to it. A serial
    line with nobody behind it may be busy for ever, and must not hold up its writers.
    """

    def __init__(self, active: Path, devices: Path) -> None:
        """active: the kernel's list of consoles; devices: where they are."""
        self._active = active
        self._devices = devices
        self._stuck: set[str] = set()

    def write(self, text: str, *, omit: Collection[str] = ()) -> None:
        """Write the text, one or more lines, to every console that takes it.

        omit: names of consoles that are used for something else now.
        """
        data = f"{text}\n".replace("\n", "\r\n").encode()
        for name in self._names():
            if name in omit:
                continue
            try:
                taken = self._write(name, data)
            except OSError:
                continue
            if taken:
                self._stuck.discard(name)
            else:
                self._stuck.add(name)

    def _names(self) -> list[str]:
        try:
            return self._active.read_text().split()
        except OSError:
            return []

    def _write(self, name: str, data: bytes) -> bool:
        console = os.open(self._devices / name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            return _write_all(console, data, 0.0 if name in self._stuck else BUSY_SECONDS)
        finally:
            os.close(console)


def _write_all(console: int, data: bytes, seconds: float) -> bool:
    """Whether the console has taken all of the data within this time."""
    end = time.monotonic() + seconds
    while data:
        try:
            data = data[os.write(console, data) :]
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.01)
    return True
