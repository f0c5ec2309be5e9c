"""A server of templates: HTTP and HTTPS on this machine, with ranges, and with faults on order."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Files:
    """What the server has, by path without the first slash, and what it does wrong.

    cut_every: bytes of a file after which each connection ends; gate: file requests wait for it;
    ranges, lengths: whether the server knows them; asked: path and range of each request.
    """

    content: dict[str, bytes] = field(default_factory=dict)
    cut_every: int = 0
    ranges: bool = True
    lengths: bool = True
    gate: threading.Event | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0
    address: str = ""

    def requests_of(self, path: str) -> list[str]:
        """The ranges that were asked for, empty for the whole file."""
        return [wanted for asked, wanted in self.asked if asked == path]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path, wanted = handler.path.lstrip("/"), handler.headers.get("Range", "")
        self.asked.append((path, wanted))
        if path not in self.content:
            handler.send_error(404)
            return
        body, begin = self.content[path], 0
        if self.gate and ".tar" in path:
            self.gate.wait(30)
        if self.ranges and (match := re.fullmatch(r"bytes=(\d+)-", wanted)):
            begin = int(match[1])
        if begin >= len(body) > 0 and begin:
            handler.send_error(416)
            return
        handler.send_response(206 if begin else 200)
        if begin:
            handler.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        if self.lengths:
            handler.send_header("Content-Length", str(len(body) - begin))
        handler.end_headers()
        end = begin + self.cut_every if self.cut_every and ".tar" in path else len(body)
        self.sent += len(body[begin:end])
        handler.wfile.write(body[begin:end])
        handler.close_connection = True


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Files]:
    """Run a server on a free port of the loopback address; with a certificate over TLS."""
    files = Files()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.answer(self)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https" if certificate else "http"
    files.address = f"{scheme}://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
