"""A terminal with a person at it: the real console program on a pty, read by an emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte

CHECKOUT = Path(__file__).resolve().parents[3]
PROGRAM = "import sys; from pathlib import Path; from installer.ui.main import main; "
LIMIT = 60.0
KEYS = {
    "enter": "\r",
    "tab": "\t",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "page down": "\x1b[6~",
    "esc": "\x1b",
    "f1": "\x1bOP",
    "f4": "\x1bOS",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
    "f10": "\x1b[21~",
    "backspace": "\x7f",
}


class Terminal:
    """One front end. received: how many bytes it has sent to the terminal."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self.descriptor = descriptor
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.received = 0
        self.raw = b""

    def press(self, *keys: str) -> None:
        """Press keys by name, or type a text."""
        for key in keys:
            os.write(self.descriptor, KEYS.get(key, key).encode())
            self.settle(0.02)

    def go_to(self, label: str) -> None:
        """Move with Tab until the cursor is in the line with this text."""
        self.wait_for(label)
        for _step in range(40):
            if label in self.screen.display[self.screen.cursor.y]:
                return
            self.press("tab")
            self.settle(0.3)
        raise AssertionError(f"there is no way to {label!r}:\n{self.text()}")

    def settle(self, quiet: float) -> None:
        """Read until nothing has come for so many seconds."""
        while select.select([self.descriptor], [], [], quiet)[0]:
            try:
                data = os.read(self.descriptor, 65536)
            except OSError:
                return
            if not data:
                return
            self.received += len(data)
            self.raw += data
            self.stream.feed(data)

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, text: str, limit: float = LIMIT) -> str:
        """The screen as soon as it has this text."""
        return self.wait_until(lambda: text in self.text(), repr(text), limit)

    def wait_until(self, found: Callable[[], bool], what: str, limit: float = LIMIT) -> str:
        end = time.monotonic() + limit
        while not found():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come within {limit} s:\n{self.text()}")
            self.settle(0.05)
        return self.text()

    def close(self) -> None:
        """Pull the cable."""
        os.close(self.descriptor)
        self.descriptor = -1


@contextmanager
def terminal(
    socket: Path, term: str = "vt220", size: tuple[int, int] = (24, 80), *arguments: str
) -> Iterator[Terminal]:
    """The console program on a new pty. size: rows and columns, as the pty tells them."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    call = f"sys.exit(main(plain={'plain' in arguments}, login=False, path=Path({str(socket)!r})))"
    environment = {**os.environ, "TERM": term, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("SSH_CONNECTION", None)
    process = subprocess.Popen(
        # The pty controls it, as a console does what getty starts.
        ["setsid", "--ctty", sys.executable, "-c", PROGRAM + call],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=CHECKOUT,
        env=environment,
    )
    os.close(slave)
    made = Terminal(process, master)
    try:
        yield made
    finally:
        process.kill()
        process.wait()
        if made.descriptor >= 0:
            made.close()
