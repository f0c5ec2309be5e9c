"""What the server shows itself by, and what it tells machines to trust."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import httpx

from agent.core.command import run
from image.serve import front
from tests.serve.process import Serving, serving, site_text
from tests.serve.simulated import SimulatedMachine


def shown(server: Serving) -> str:
    """The fingerprint of the certificate that the server shows."""
    url = httpx.URL(server.https)
    assert url.port
    pem = ssl.get_server_certificate((url.host, url.port))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def told(server: Serving, client: httpx.Client) -> set[str]:
    """All fingerprints that a machine is told, by its boot script and its answer."""
    machine = SimulatedMachine(1, server.http)
    assert machine.understand(client.get(machine.boot_url()).text) == "install"
    machine.take(client.send(machine.answer_request()))
    return {
        machine.parameters["slipway.answer-fingerprint"],
        machine.parameters["slipway.events-fingerprint"],
        machine.answers[0]["webhook"]["cert-fingerprint"],
    }


def test_its_own(tmp_path: Path, client: httpx.Client) -> None:
    """It stays the same: machines that are installing go on trusting it."""
    with serving(tmp_path) as server:
        first = shown(server)
        assert told(server, client) == {first}
        server.restart()
        assert shown(server) == first
        if front.IPV6.exists():
            for url in (server.http, server.https):
                assert client.get(f"{url.replace('127.0.0.1', '[::1]')}/healthz").text == "ok\n"


def test_one_that_is_given(tmp_path: Path, client: httpx.Client) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=given", "-keyout", key, "-out", certificate),
        ]
    )
    files = 'certificate = "certificate.pem"\nkey = "key.pem"\n[answer]'

    def text(http: int, https: int) -> str:
        return site_text(http, https).replace("[answer]", files, 1)

    with serving(tmp_path, text) as server:
        expected = ssl.PEM_cert_to_DER_cert(certificate.read_text())
        assert told(server, client) == {shown(server)} == {hashlib.sha256(expected).hexdigest()}
