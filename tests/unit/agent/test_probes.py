"""Probes against real servers."""

from __future__ import annotations

import http.server
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from agent import hypervisor, probes
from agent.core.command import run
from agent.stack import HttpsProbe, LibvirtProbe, PoolProbe, Probe, TcpProbe
from agent.step import Retry


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers "/" and nothing else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate with its key, for another name."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-subj", "/CN=node.example.org", "-days", "2", "-keyout", str(key)]
        + ["-out", str(path)]
    )
    path.write_text(path.read_text() + key.read_text())
    return path


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def https(server: http.server.ThreadingHTTPServer, certificate: Path) -> str:
    """The address of a web server with a certificate that nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return f"https://127.0.0.1:{server.server_address[1]}/"


def test_https_answers(https: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy for the outside world has nothing to do with it.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1/")
    probes.check(HttpsProbe(kind="https", url=https))


def test_https_answers_with_an_error(https: str) -> None:
    with pytest.raises(Retry, match="503"):
        probes.check(HttpsProbe(kind="https", url=f"{https}broken"))


def test_http_is_not_https(server: http.server.ThreadingHTTPServer) -> None:
    url = f"https://127.0.0.1:{server.server_address[1]}/"
    with pytest.raises(Retry, match="does not answer"):
        probes.check(HttpsProbe(kind="https", url=url))


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_tcp(free_port: int) -> None:
    probe = TcpProbe(kind="tcp", address="127.0.0.1", port=free_port)
    with pytest.raises(Retry, match=f"port {free_port} does not answer: .*refused"):
        probes.check(probe)
    with socket.create_server(("127.0.0.1", free_port)):
        probes.check(probe)


def test_all_failures_are_told(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypervisor, "pool_missing", lambda name: (f"no {name}", "sorry"))
    closed = TcpProbe(kind="tcp", address="127.0.0.1", port=free_port)
    several: tuple[Probe, ...] = (closed, PoolProbe(kind="pool", name="local"), closed)
    lines = probes.failures(several)
    assert len(lines) == 3
    assert lines[1] == "no local, sorry"


def test_libvirt_is_asked_at_the_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(hypervisor, "prove", asked.append)
    assert probes.failures((LibvirtProbe(kind="libvirt", uri="qemu:///system"),)) == ()
    assert asked == ["qemu:///system"]
