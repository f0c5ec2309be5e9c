"""QEMU's monitor protocol (QMP) over a unix socket: commands, and events that are waited for.

Debian packages no QMP library for Python.
"""

from __future__ import annotations

import json
import socket
import time
from collections import deque
from pathlib import Path
from typing import Any

from tests.lab.errors import LabError, LabTimeout

Message = dict[str, Any]
# QEMU answers at once, except for commands that write a machine's memory to disk.
COMMAND_LIMIT = 120.0


class Qmp:
    """One connection to a monitor; events are kept until somebody waits for them."""

    def __init__(self, path: Path) -> None:
        """Connect and leave the negotiation. Raises OSError while nobody listens there."""
        self._where = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._received = b""
        self._events: deque[Message] = deque()
        try:
            self._socket.connect(self._where)
            self._receive(COMMAND_LIMIT, "QEMU's greeting")
            self.execute("qmp_capabilities")
        except BaseException:
            self._socket.close()
            raise

    def execute(self, command: str, **arguments: object) -> Any:
        """Run one command and return its answer. Argument names have "_" where QMP has "-".

        Raises LabError with QEMU's reason, LabTimeout.
        """
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._socket.sendall(json.dumps({"execute": command, "arguments": named}).encode() + b"\n")
        while True:
            message = self._receive(COMMAND_LIMIT, f"the answer to {command}")
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise LabError(f"{command}: {message['error']['desc']}", where=self._where)
            self._events.append(message)

    def monitor(self, line: str) -> None:
        """Run a command that only the human monitor has and that is silent when it succeeds.

        Raises LabError with what it said.
        """
        if said := str(self.execute("human-monitor-command", command_line=line)).strip():
            raise LabError(f"{line}: {said}", where=self._where)

    def wait_event(self, name: str, limit: float, **data: object) -> Message:
        """The first event of this name, with these values in its data, not yet waited for.

        limit is seconds. Events before it are dropped. Raises LabTimeout.
        """
        end = time.monotonic() + limit
        while True:
            message = (
                self._events.popleft()
                if self._events
                else self._receive(end - time.monotonic(), f"the event {name}", limit)
            )
            found: Message = message.get("data", {})
            if message.get("event") == name and data.items() <= found.items():
                return found

    def close(self) -> None:
        self._socket.close()

    def _receive(self, remaining: float, what: str, limit: float | None = None) -> Message:
        """The next message of either kind."""
        end = time.monotonic() + remaining
        while b"\n" not in self._received:
            self._socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                data = self._socket.recv(65536)
            except TimeoutError as error:
                raise LabTimeout(what, limit or remaining, where=self._where) from error
            except ConnectionResetError:
                data = b""
            if not data:
                raise LabError(f"QEMU ended while waiting for {what}", where=self._where)
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        message: Message = json.loads(line)
        return message
