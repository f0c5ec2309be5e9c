"""Answers this node's own page and the other members: GET /node, GET /cluster, and nothing else.

It listens on this machine only; members come through the cluster's tunnel. It changes nothing and
tells no secret, so every account of the node may ask. What was collected a moment ago is told
again, so many pages cost no more than one.

Each request has a process of its own: who asks for one subject does not wait for the other, and a
process without threads may fork the parts.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ForkingMixIn

from agent.overview.model import SUBJECTS, Answer, Part, Subject

Collect = Callable[[Subject], dict[str, Part]]
FRESH_SECONDS = 3.0
# Without a request for so long the server ends; systemd starts it with the next one.
IDLE_SECONDS = 60.0
# A client that sends nothing for so long is given up.
CLIENT_SECONDS = 5.0


class Server(ForkingMixIn, HTTPServer):
    """The server on a socket that listens already. folder: where documents are kept, its own."""

    def __init__(self, listening: socket.socket, collect: Collect, folder: Path) -> None:
        super().__init__(listening.getsockname()[:2], Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.timeout = IDLE_SECONDS
        self._collect = collect
        self._folder = folder
        self._idle = False

    def answer(self, subject: Subject) -> bytes:
        """The document about a subject, at most FRESH_SECONDS old when nobody else asks for it."""
        with open(self._folder / subject, "a+b") as kept:
            fcntl.flock(kept, fcntl.LOCK_EX)
            status = os.fstat(kept.fileno())
            if status.st_size and time.time() - status.st_mtime < FRESH_SECONDS:
                kept.seek(0)
                return kept.read()
            document = Answer(parts=self._collect(subject), heard=0).model_dump_json().encode()
            kept.truncate(0)
            kept.write(document)
            return document

    def handle_timeout(self) -> None:
        """Nobody has asked for a while."""
        super().handle_timeout()
        self._idle = not self.active_children

    def serve_until_idle(self) -> None:
        """Answer until nobody asks any more."""
        while not self._idle:
            self.handle_request()
            self.collect_children()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    timeout = CLIENT_SECONDS
    server: Server

    def do_GET(self) -> None:
        """Answer with a document."""
        subject = next((each for each in SUBJECTS if self.path == f"/{each}"), None)
        if subject is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        document = self.server.answer(subject)
        # Who asked may have given up.
        with suppress(ConnectionError):
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests come every few seconds: they are not logged."""
