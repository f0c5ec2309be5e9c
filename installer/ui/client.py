"""The connection of a front end to the engine; nothing here waits."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from installer.report.server import SOCKET

CHUNK_BYTES = 1 << 16


class Connection:
    """Lines to and from the engine's socket."""

    def __init__(self, path: Path = SOCKET) -> None:
        """Connect. Raises OSError while nobody listens there."""
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self._received = b""
        self._unsent = b""
        self.ended = False

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, line: bytes) -> None:
        """Send a line, as far as the engine takes it now; the rest goes with the next call."""
        self._unsent += line
        with suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]

    def receive(self) -> Iterator[bytes]:
        """The complete lines that have come. `ended` is set when no more can come."""
        self.send(b"")
        try:
            while data := self._socket.recv(CHUNK_BYTES):
                self._received += data
            self.ended = True
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True
        *lines, self._received = self._received.split(b"\n")
        yield from lines

    def keep(self) -> None:
        """Stay connected when this program becomes another one, such as a shell: as long as that
        is there, the engine writes nothing to the console."""
        os.set_inheritable(self._socket.fileno(), True)

    def close(self) -> None:
        self._socket.close()


Connect = Callable[[], Connection]
