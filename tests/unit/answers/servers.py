"""Answer servers for the tests: real HTTP and HTTPS servers on this machine."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dns.message
import dns.name
import dns.rcode
import dns.resolver
import dns.rrset

from agent.core.command import run

Reply = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Asked:
    """One request that the server got."""

    method: str
    path: str
    authorization: str | None
    body: bytes


@dataclass
class AnswerServer:
    """replies are used one after the other, the last one for all that follows."""

    replies: list[Reply]
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        self.asked.append(
            Asked(
                handler.command,
                handler.path,
                handler.headers.get("Authorization"),
                handler.rfile.read(length),
            )
        )
        self.replies[min(len(self.asked), len(self.replies)) - 1](handler)


def reply(status: int, body: bytes = b"", kind: str = "text/plain", **headers: str) -> Reply:
    """A whole response."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": kind, **headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return send


def cut(body: bytes) -> Reply:
    """The first half of a response, and then the end of the connection."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    return send


def stall(release: threading.Event) -> Reply:
    """The start of a response; the rest never comes. The test sets `release` at its end."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"[global]\n")
        handler.wfile.flush()
        release.wait()
        handler.close_connection = True

    return send


@contextmanager
def serving(
    *replies: Reply, certificate: Path | None = None, port: int = 0
) -> Iterator[AnswerServer]:
    """Run a server on the loopback address, on a free port; with a certificate over TLS."""
    answers = AnswerServer(list(replies))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.answer(self)

        def do_POST(self) -> None:
            answers.answer(self)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is part of the tests."""

    server = Server(("127.0.0.1", port), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    answers.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_certificate(path: Path, address: str = "127.0.0.1") -> str:
    """Write a key and a self-signed certificate for localhost; gives its fingerprint."""
    run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", str(path)]
        + ["-out", f"{path}.crt", "-addext", f"subjectAltName=DNS:localhost,IP:{address}"]
    )
    certificate = Path(f"{path}.crt").read_text()
    path.write_text(path.read_text() + certificate)
    shown = run(["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", path]).stdout
    return shown.partition("=")[2].strip()


@contextmanager
def name_server(
    records: Mapping[str, tuple[str, ...]], search: list[str]
) -> Iterator[dns.resolver.Resolver]:
    """A DNS server with these TXT records, by absolute name, and a resolver that asks it."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, connection = self.request
            query = dns.message.from_wire(data)
            response = dns.message.make_response(query)
            name = query.question[0].name
            if texts := records.get(name.to_text()):
                response.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *texts))
            else:
                response.set_rcode(dns.rcode.NXDOMAIN)
            connection.sendto(response.to_wire(), self.client_address)

    resolver = dns.resolver.Resolver(configure=False)
    resolver.search = [dns.name.from_text(name) for name in search]
    resolver.nameservers = ["127.0.0.1"]
    with socketserver.UDPServer(("127.0.0.1", 0), Handler) as server:
        resolver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield resolver
        finally:
            server.shutdown()
            thread.join()
