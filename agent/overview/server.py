"""Answers this node's own page and the other members: GET /node, GET /cluster, and nothing else.

It listens on this machine only; members come through the cluster's tunnel. It changes nothing and
tells no secret, so every account of the node may ask. One request is answered after the other, and
what was collected a moment ago is told again, so many pages cost no more than one.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

from agent.overview.model import SUBJECTS, Answer, Part, Subject

Collect = Callable[[Subject], dict[str, Part]]
FRESH_SECONDS = 3.0
# Without a request for so long the server ends; systemd starts it with the next one.
IDLE_SECONDS = 60.0
# A client that sends nothing for so long is given up.
CLIENT_SECONDS = 5.0


class Server(HTTPServer):
    """The server on a socket that listens already."""

    def __init__(self, listening: socket.socket, collect: Collect) -> None:
        super().__init__(listening.getsockname()[:2], Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self._collect = collect
        self._kept: dict[Subject, tuple[float, bytes]] = {}
        self.timeout = IDLE_SECONDS
        self._idle = False

    def answer(self, subject: Subject) -> bytes:
        """The document about a subject, at most FRESH_SECONDS old."""
        kept = self._kept.get(subject)
        if kept and time.monotonic() - kept[0] < FRESH_SECONDS:
            return kept[1]
        document = Answer(parts=self._collect(subject), heard=0).model_dump_json().encode()
        self._kept[subject] = (time.monotonic(), document)
        return document

    def handle_timeout(self) -> None:
        """Nobody has asked for a while."""
        self._idle = True

    def serve_until_idle(self) -> None:
        """Answer until nobody asks any more."""
        while not self._idle:
            self.handle_request()


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
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(document)))
        self.end_headers()
        self.wfile.write(document)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests come every few seconds: they are not logged."""
