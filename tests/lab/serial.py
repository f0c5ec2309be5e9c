"""A machine's serial console: every line with its time, waiting for text, typing."""

from __future__ import annotations

import codecs
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.errors import LabError, LabTimeout

# Terminal control: CSI sequences, OSC sequences, two-character escapes, and bare returns.
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[ -/]*[0-~]|\r")
# How much of the console an error shows.
LAST_LINES = 25


@dataclass(frozen=True)
class Line:
    """One line, without terminal control; seconds since power-on at its end."""

    seconds: float
    text: str


@dataclass(frozen=True)
class Found:
    """Text that was waited for, and when it came (seconds since power-on)."""

    seconds: float
    match: re.Match[str]


class Serial:
    """The console's far end. A thread reads all the time, so that nothing is lost.

    Waiting goes forward only, as a reader does: each search starts where the last match ended.
    """

    def __init__(
        self,
        connection: socket.socket,
        power_on: float,
        *,
        name: str,
        on_line: Callable[[Line], None] | None = None,
    ) -> None:
        """power_on: time.monotonic() when the machine started; name: for error messages;
        on_line: called from the reading thread with each complete line.
        """
        self._connection = connection
        self._power_on = power_on
        self._name = name
        self._on_line = on_line
        self._lines: list[Line] = []
        self._unfinished = ""
        # Called from the reading thread with everything as it comes, terminal control and all.
        self.on_data: Callable[[bytes], None] | None = None
        self._ended = False
        self._position = (0, 0)
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, name=f"serial of {name}", daemon=True)
        self._thread.start()

    @property
    def lines(self) -> list[Line]:
        """All complete lines so far."""
        with self._changed:
            return list(self._lines)

    def wait_for(
        self, pattern: str, limit: float, what: str, *, unless: str | None = None
    ) -> Found:
        """Wait until a line, complete or not, holds the pattern.

        limit: seconds; what: in the words of the error; unless: a pattern that ends the waiting,
        because after it the other cannot come. Raises LabTimeout, LabError.
        """
        wanted = re.compile(pattern)
        unwanted = re.compile(unless) if unless else None
        end = time.monotonic() + limit
        with self._changed:
            while True:
                if found := self._search(wanted, unwanted, what):
                    return found
                if self._ended:
                    raise self._error(f"the machine ended while waiting for {what}")
                if not self._changed.wait(end - time.monotonic()):
                    raise LabTimeout(what, limit, where=self._name, hint=self._last_lines())

    def send(self, text: str) -> None:
        """Type the text; a line ends with "\\n"."""
        self._connection.sendall(text.encode())

    def log_in(self, user: str, password: str, limit: float) -> None:
        """Log in at the prompt, as root or another user with a shell. limit: seconds a prompt."""
        self.send("\n")
        self.wait_for("login: $", limit, "the login prompt")
        self.send(f"{user}\n")
        self.wait_for("Password: $", limit, "the password prompt")
        self.send(f"{password}\n")
        self.wait_for("[#$] $", limit, f"the shell of {user}")

    def run(self, command: str, limit: float) -> tuple[int, list[str]]:
        """Run one line in the shell whose prompt is on the console: exit status and output.

        The kernel's messages come on the same line and are in the output too.
        """
        # The echo of what is typed must not look like the marks, so the shell computes them.
        self.send(f'echo "<$((40 + 2))>"; {command}; echo "<end $?>"\n')
        self.wait_for("<42>", limit, f"the shell to start: {command}")
        first = self._position[0]
        found = self.wait_for(r"<end (\d+)>", limit, f"the end of: {command}")
        last = self._position[0]
        output = [line.text for line in self.lines[first + 1 : last]]
        unfinished = found.match.string[: found.match.start()]
        return int(found.match[1]), [*output, unfinished] if unfinished else output

    def close(self) -> None:
        """Leave the console; the machine is not disturbed."""
        if not self._ended:
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()

    def _search(
        self, wanted: re.Pattern[str], unwanted: re.Pattern[str] | None, what: str
    ) -> Found | None:
        """Look through what is new; nothing is looked at twice, except the unfinished line."""
        now = time.monotonic() - self._power_on
        index, column = self._position
        for line in [*self._lines[index:], Line(now, CONTROL.sub("", self._unfinished))]:
            if match := wanted.search(line.text, column):
                self._position = (index, match.end())
                return Found(line.seconds, match)
            if unwanted and unwanted.search(line.text, column):
                self._position = (index, len(line.text))
                raise self._error(f"while waiting for {what}, the console said: {line.text}")
            if index < len(self._lines):
                index, column = index + 1, 0
                self._position = (index, column)
        return None

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while data := self._receive():
            if self.on_data:
                self.on_data(data)
            self._add(decoder.decode(data))
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _receive(self) -> bytes:
        try:
            return self._connection.recv(65536)
        except ConnectionResetError:
            return b""

    def _add(self, text: str) -> None:
        seconds = time.monotonic() - self._power_on
        with self._changed:
            *complete, self._unfinished = (self._unfinished + text).split("\n")
            lines = [Line(seconds, CONTROL.sub("", line)) for line in complete]
            self._lines += lines
            self._changed.notify_all()
        for line in lines:
            if self._on_line:
                self._on_line(line)

    def _last_lines(self) -> str:
        last = [f"{line.seconds:8.1f}  {line.text}" for line in self._lines[-LAST_LINES:]]
        last.append(f"          {CONTROL.sub('', self._unfinished)}")
        return "the last lines on the serial console:\n" + "\n".join(last)

    def _error(self, message: str) -> LabError:
        return LabError(message, where=self._name, hint=self._last_lines())
