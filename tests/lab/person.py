"""A person at a machine: at its screen and keyboard, at its serial line, or logged in over SSH.

Each reads what a person would see, and presses keys.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import threading
import time
from abc import ABC, abstractmethod
from pathlib import Path

import pyte

from tests.lab.errors import LabTimeout
from tests.lab.machine import Machine
from tests.lab.ssh import ANY_HOST

COLUMNS, ROWS = 80, 24
# Between two looks; a key's effect takes a moment on an emulated machine.
LOOK_SECONDS = 0.5
# So often the way to a field is looked for.
STEPS = 40
SEQUENCES = {
    "enter": "\r",
    "tab": "\t",
    "space": " ",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "esc": "\x1b",
    "f1": "\x1bOP",
    "f4": "\x1bOS",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
    "f10": "\x1b[21~",
}
# QEMU's names of keys, on an American keyboard.
CODES = {"enter": "ret", "space": "spc", " ": "spc", "-": "minus", ".": "dot", "/": "slash"}
SHIFTED = {":": "semicolon", "+": "equal", "@": "2", "_": "minus", '"': "apostrophe"}
PLAIN = {"=": "equal", ",": "comma", ";": "semicolon", "'": "apostrophe"}


class Person(ABC):
    """Somebody who looks at one terminal of a machine."""

    name: str

    @abstractmethod
    def text(self) -> str:
        """What the terminal shows, line by line."""

    @abstractmethod
    def cursor_row(self) -> int:
        """The row that the cursor is in, from 0."""

    @abstractmethod
    def press(self, *keys: str) -> None:
        """Press keys by name, or type a text."""

    def wait_for(self, text: str, limit: float = 120.0) -> str:
        """Look until the text is there; gives all that is shown then."""
        end = time.monotonic() + limit
        while text not in (shown := self.text()):
            if time.monotonic() > end:
                raise LabTimeout(repr(text), limit, where=self.name, hint=shown)
            time.sleep(LOOK_SECONDS)
        return shown

    def go_to(self, label: str) -> None:
        """Move with Tab until the cursor is in the line with this text."""
        for _step in range(STEPS):
            lines = self.text().splitlines()
            if label in lines[self.cursor_row()]:
                return
            self.press("tab")
            time.sleep(LOOK_SECONDS)
        raise LabTimeout(f"the field {label!r}", STEPS, where=self.name, hint=self.text())

    def replace(self, label: str, text: str) -> None:
        """Put another text into a field."""
        self.go_to(label)
        self.press(*["\x7f"] * 60, text)

    def choose(self, label: str, search: str) -> None:
        """Choose from a list by what it is called."""
        self.go_to(label)
        self.press("enter")
        self.wait_for("Search")
        self.press(search, "enter")
        self.wait_for("F1 Help")


class Emulated(Person):
    """A terminal whose bytes come here."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.received = 0
        self._lock = threading.Lock()
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, data: bytes) -> None:
        with self._lock:
            self.received += len(data)
            self._stream.feed(data)

    def text(self) -> str:
        with self._lock:
            return "\n".join(self._screen.display)

    def cursor_row(self) -> int:
        with self._lock:
            row: int = self._screen.cursor.y
            return row


class AtSerialLine(Emulated):
    """At the other end of the serial cable, with a terminal of 80 by 24."""

    def __init__(self, machine: Machine) -> None:
        super().__init__("serial line")
        self._machine = machine
        machine.serial.on_data = self.feed

    def press(self, *keys: str) -> None:
        for key in keys:
            self._machine.serial.send(SEQUENCES.get(key, key))


class OverSsh(Emulated):
    """Logged in over SSH with a password."""

    def __init__(self, port: int, password: str) -> None:
        super().__init__("SSH")
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        options = {**ANY_HOST, "PubkeyAuthentication": "no", "LogLevel": "ERROR"}
        words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "ssh", "-tt", *words, "-p", str(port), "root@127.0.0.1"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm"},
        )
        os.close(slave)
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for("assword:")
        self.press(password, "enter")

    def _read(self) -> None:
        while True:
            try:
                select.select([self._master], [], [])
                data = os.read(self._master, 65536)
            except (OSError, ValueError):
                return
            if not data:
                return
            self.feed(data)

    def press(self, *keys: str) -> None:
        for key in keys:
            os.write(self._master, SEQUENCES.get(key, key).encode())

    def hang_up(self) -> None:
        """End the connection as a lost network does."""
        self._process.kill()
        self._process.wait()
        os.close(self._master)


class AtScreen(Person):
    """At the machine's own screen and keyboard.

    What the screen shows is read through a shell on the serial line.
    """

    def __init__(self, machine: Machine) -> None:
        self.name = "screen"
        self._machine = machine
        self._row = 0

    def text(self) -> str:
        command = "od -An -tu1 -N4 /dev/vcsa1; iconv -f UTF-32LE -t UTF-8 /dev/vcsu1"
        status, output = self._machine.serial.run(command, 60)
        assert status == 0, output
        header, shown = output[0].split(), "".join(output[1:])
        _rows, columns, _column, self._row = map(int, header)
        return "\n".join(shown[at : at + columns] for at in range(0, len(shown), columns))

    def cursor_row(self) -> int:
        return self._row

    def press(self, *keys: str) -> None:
        for key in keys:
            if key in SEQUENCES or key == "\x7f":
                self._send(CODES.get(key, "backspace" if key == "\x7f" else key))
            else:
                for character in key:
                    self._type(character)

    def _type(self, character: str) -> None:
        if character in SHIFTED or character.isupper():
            self._send("shift", SHIFTED.get(character, character.lower()))
        else:
            self._send(CODES.get(character, PLAIN.get(character, character)))

    def _send(self, *codes: str) -> None:
        keys = [{"type": "qcode", "data": code} for code in codes]
        self._machine.qmp.execute("send-key", keys=keys, hold_time=20)
        # QEMU drops keys that come faster than a keyboard's.
        time.sleep(0.05)

    def photograph(self, name: str) -> Path:
        """A picture of the screen in the folder for logs."""
        return self._machine.screenshot(f"{name}.png")
