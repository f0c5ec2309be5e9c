"""The engine's socket: every client gets all events as lines of JSON, from the first one on."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer
from typing import Any

from installer.report.events import Event

SOCKET = Path("/run/slipway/installer.sock")
# How long clients have to take the last events, and how often the end is looked for.
CLOSE_SECONDS = 2.0
POLL_SECONDS = 0.1


class EventServer(ThreadingUnixStreamServer):
    """Listener: a unix socket, which only root may use.

    There is one list of events, and each client has a thread that reads it at the client's own
    pace. So a client that is slow or dead holds up nobody, and nothing is kept for it.
    """

    daemon_threads = True

    def __init__(self, path: Path = SOCKET) -> None:
        """Listen at this path, in place of whoever did before. Raises OSError."""
        self._events: list[bytes] = []
        self._news = threading.Condition()
        self._ended = False
        self._clients = 0
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
        try:
            self._serve(request)
        finally:
            with self._news:
                self._clients -= 1
                self._news.notify_all()

    def _serve(self, client: socket.socket) -> None:
        sent = 0
        with suppress(OSError):
            while lines := self._wait_for_more_than(sent):
                client.sendall(b"".join(lines))
                sent += len(lines)

    def _wait_for_more_than(self, sent: int) -> list[bytes]:
        """The events after the first `sent`; none when no more come."""
        with self._news:
            self._news.wait_for(lambda: len(self._events) > sent or self._ended)
            return self._events[sent:]
