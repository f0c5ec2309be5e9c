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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyte

from tests.lab.errors import LabError, LabTimeout
from tests.lab.machine import Machine
from tests.lab.ssh import ANY_HOST

COLUMNS, ROWS = 80, 24
# Between two looks, at first and after a long time: a look at the screen costs the machine work.
LOOK_SECONDS, LONG_LOOK_SECONDS = 0.5, 5.0
# Seconds for the effect of a key on the terminal itself, however busy the machine is.
KEY_LIMIT = 300.0
# So often the way to a field is looked for.
STEPS = 40
# QEMU drops keys that an emulated keyboard is not asked for in time: milliseconds that one is
# held, seconds to the next one.
HOLD, PAUSE = 40, 0.12
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
    "ctrl l": "\x0c",
}
# QEMU's names of keys, on an American keyboard.
CODES = {"enter": "ret", "space": "spc", " ": "spc", "-": "minus", ".": "dot", "/": "slash"}
SHIFTED = {":": "semicolon", "+": "equal", "@": "2", "_": "minus", '"': "apostrophe"}
PLAIN = {"=": "equal", ",": "comma", ";": "semicolon", "'": "apostrophe"}


@dataclass(frozen=True)
class Look:
    """What a terminal shows, line by line, and where its cursor is, from 0."""

    text: str
    row: int
    column: int

    @property
    def line(self) -> str:
        """The line that the cursor is in."""
        return self.text.split("\n")[self.row]

    @property
    def place(self) -> tuple[int, int, str]:
        """What changes when the cursor moves, even if the page moves under it."""
        return self.row, self.column, self.line


class Person(ABC):
    """Somebody who looks at one terminal of a machine."""

    name: str

    @abstractmethod
    def look(self) -> Look:
        """What is there now."""

    @abstractmethod
    def press(self, *keys: str) -> None:
        """Press keys by name, or type a text."""

    def text(self) -> str:
        """What the terminal shows, line by line."""
        return self.look().text

    def wait_until(self, found: Callable[[Look], bool], what: str, limit: float) -> Look:
        """Look until what is seen is what is wanted. limit: seconds. Raises LabTimeout."""
        begin = time.monotonic()
        while not found(seen := self.look()):
            waited = time.monotonic() - begin
            if waited > limit:
                raise LabTimeout(what, limit, where=self.name, hint=seen.text)
            time.sleep(min(max(LOOK_SECONDS, waited / 20), LONG_LOOK_SECONDS))
        return seen

    def wait_for(self, text: str, limit: float = 600.0) -> str:
        """Look until the text is there; gives all that is shown then."""
        return self.wait_until(lambda seen: text in seen.text, repr(text), limit).text

    def wait_for_end(self, text: str, limit: float = 600.0) -> None:
        """Look until the text is not there any more."""
        self.wait_until(lambda seen: text not in seen.text, f"the end of {text!r}", limit)

    def settled(self) -> Look:
        """What is shown when two looks in a row show the same: nothing is half drawn."""
        last = self.look()
        end = time.monotonic() + KEY_LIMIT
        while time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
            seen = self.look()
            if seen == last:
                return seen
            last = seen
        raise LabTimeout("a page that stays", KEY_LIMIT, where=self.name, hint=last.text)

    def go_to(self, label: str, key: str = "tab") -> None:
        """Move with a key until the cursor is in the line with this text."""
        for _step in range(STEPS):
            seen = self.settled()
            if label in seen.line:
                return
            self.press(key)
            self._wait_until_moved(seen, label)
        raise LabTimeout(f"the field {label!r}", STEPS, where=self.name, hint=self.text())

    def _wait_until_moved(self, before: Look, label: str) -> None:
        what = f"the cursor to move, on the way to {label!r}"
        self.wait_until(lambda seen: seen.place != before.place, what, KEY_LIMIT)

    def replace(self, label: str, text: str) -> None:
        """Put another text into a field."""
        self.go_to(label)
        self.press(*["\x7f"] * 40, text)

    def choose(self, label: str, search: str) -> None:
        """Choose from a list by what it is called."""
        self.go_to(label)
        self.press("enter")
        self.wait_for("Search")
        self.press(search, "enter")
        self.wait_for_end("Search")

    def push(self, label: str) -> None:
        """Go to a button and press it."""
        self.go_to(label)
        self.press("enter")


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

    def look(self) -> Look:
        with self._lock:
            cursor = self._screen.cursor
            return Look("\n".join(self._screen.display), cursor.y, cursor.x)


class AtSerialLine(Emulated):
    """At the other end of the serial cable, with a terminal of 80 by 24."""

    def __init__(self, machine: Machine) -> None:
        super().__init__("serial line")
        self._machine = machine
        machine.serial.on_data = self.feed

    def pull_cable(self) -> None:
        """From now on the machine's end of the line leads nowhere."""
        self._machine.serial.close()

    def plug_in(self) -> None:
        """Plug the cable in again, with a terminal that has seen nothing."""
        with self._lock:
            self._screen.reset()
        self._machine.connect_serial()
        self._machine.serial.on_data = self.feed

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

    def look(self) -> Look:
        command = "od -An -tu1 -N4 /dev/vcsa1; iconv -f UTF-32LE -t UTF-8 /dev/vcsu1"
        status, output = self._machine.serial.run(command, 120)
        if status != 0:
            raise LabError("the screen cannot be read", where=self.name, hint="\n".join(output))
        shown = "".join(output[1:])
        _rows, columns, column, row = map(int, output[0].split())
        lines = [shown[at : at + columns] for at in range(0, len(shown), columns)]
        return Look("\n".join(lines), row, column)

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
        self._machine.qmp.execute("send-key", keys=keys, hold_time=HOLD)
        time.sleep(PAUSE)

    def photograph(self, name: str) -> Path:
        """A picture of the screen in the folder for logs."""
        return self._machine.screenshot(f"{name}.png")
