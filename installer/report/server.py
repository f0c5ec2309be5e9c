"""The engine's socket: every client gets all events as lines of JSON, from the first one on.

A client that sends commands, one a line, also gets a reply to each, and what is published now
and whenever it changes.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer
from typing import Any, Protocol

from installer.report.events import Event

SOCKET = Path("/run/slipway/installer.sock")
# How long clients have to take the last events, and how often the end is looked for.
CLOSE_SECONDS = 2.0
POLL_SECONDS = 0.1
# Longer commands than this are none.
COMMAND_BYTES = 1 << 18


class Answering(Protocol):
    """Answers the commands of clients; called from one thread for each client."""

    def answer(self, client: int, line: bytes) -> bytes:
        """The reply to one command, a line without its end."""

    def gone(self, client: int) -> None:
        """This client sends nothing more."""


@dataclass
class _Client:
    """What one client has been given so far. told: the number of the last publication."""

    number: int
    sent: int = 0
    told: int = 0
    commanding: bool = False
    replies: deque[bytes] = field(default_factory=deque)


class EventServer(ThreadingUnixStreamServer):
    """Listener: a unix socket, which only root may use.

    There is one list of events, and each client has a thread that reads it at the client's own
    pace. So a client that is slow or dead holds up nobody, and nothing is kept for it.
    """

    daemon_threads = True

    def __init__(self, path: Path = SOCKET, answering: Answering | None = None) -> None:
        """Listen at this path, in place of whoever did before. Raises OSError."""
        self._events: list[bytes] = []
        self._published: dict[str, tuple[int, bytes]] = {}
        self._publications = 0
        self._answering = answering
        self._news = threading.Condition()
        self._ended = False
        self._clients = 0
        self._numbers = count(1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        super().__init__(str(path), BaseRequestHandler, bind_and_activate=False)
        self.server_bind()
        path.chmod(0o600)
        self.server_activate()
        threading.Thread(target=self.serve_forever, args=(POLL_SECONDS,), daemon=True).start()

    def __call__(self, event: Event) -> None:
        with self._news:
            self._events.append(event.model_dump_json().encode() + b"\n")
            self._news.notify_all()

    def publish(self, topic: str, text: str) -> None:
        """Tell all clients that send commands: `{"TOPIC": text}`. text: JSON.

        A client that is slow gets the last text of each topic only.
        """
        with self._news:
            self._publications += 1
            line = f'{{"{topic}":{text}}}\n'.encode()
            self._published[topic] = (self._publications, line)
            self._news.notify_all()

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """No more events come: wait a moment for those who still read, and stop listening."""
        with self._news:
            self._ended = True
            self._news.notify_all()
            self._news.wait_for(lambda: self._clients == 0, seconds)
        self.shutdown()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        # Counted before its thread runs, so that close() never overlooks one.
        with self._news:
            self._clients += 1
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Give one client its events until there are no more, or it is gone."""
        client = _Client(next(self._numbers))
        if self._answering:
            threading.Thread(
                target=self._listen, args=(request, client, self._answering), daemon=True
            ).start()
        try:
            with suppress(OSError):
                while lines := self._wait_for_news(client):
                    request.sendall(b"".join(lines))
        finally:
            with self._news:
                self._clients -= 1
                self._news.notify_all()

    def _listen(self, request: socket.socket, client: _Client, answering: Answering) -> None:
        with suppress(OSError), request.makefile("rb") as stream:
            while (line := stream.readline(COMMAND_BYTES)).endswith(b"\n"):
                with self._news:
                    client.commanding = True
                    self._news.notify_all()
                reply = answering.answer(client.number, line)
                with self._news:
                    client.replies.append(reply + b"\n")
                    self._news.notify_all()
        answering.gone(client.number)

    def _wait_for_news(self, client: _Client) -> list[bytes]:
        """Events, replies and publications that the client has not got yet; none at the end."""
        with self._news:
            self._news.wait_for(lambda: self._has_news(client) or self._ended)
            lines = self._events[client.sent :]
            client.sent = len(self._events)
            if client.commanding:
                told = client.told
                newer = [x for x in self._published.values() if x[0] > told]
                lines += [line for _, line in sorted(newer)]
                client.told = self._publications
            lines += client.replies
            client.replies.clear()
            return lines

    def _has_news(self, client: _Client) -> bool:
        newer = client.commanding and self._publications > client.told
        return len(self._events) > client.sent or bool(client.replies) or newer
