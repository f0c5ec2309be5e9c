"""What a hostile or broken client does gets a clear status and a line in the log; the service
lives on: every test ends with a machine that is served."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.serve.process import Serving, serving, site_text
from tests.serve.simulated import SimulatedMachine, identity, trusting

# nginx gives up a request that does not come after 15 seconds.
SLOW_LIMIT = 120
NUMBERS = count(1)


@pytest.fixture
def machine(server: Serving, client: httpx.Client) -> SimulatedMachine:
    """A machine that may fetch its answer."""
    new = SimulatedMachine(next(NUMBERS), server.http)
    assert new.understand(client.get(new.boot_url()).text) == "install"
    return new


@pytest.fixture(autouse=True)
def lives_on(server: Serving, client: httpx.Client) -> Iterator[None]:
    yield
    new = SimulatedMachine(next(NUMBERS), server.http)
    new.understand(client.get(new.boot_url()).text)
    new.take(client.send(new.answer_request()))


def post(
    server: Serving, client: httpx.Client, machine: SimulatedMachine, content: bytes
) -> httpx.Response:
    token = machine.parameters["slipway.answer-token"]
    headers = {"Authorization": f"Bearer {token}"}
    return client.post(f"{server.https}/answer", content=content, headers=headers)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        pytest.param(b"[" * 100_000, "not JSON", id="deeply nested"),
        (b"[]", "not a JSON object"),
        (b"{}", "network_interfaces"),
        (b'{"network_interfaces": [{"mac": "x"}]}', "hardware address"),
        (b'{"network_interfaces": [{"mac": null}]}', "hardware address"),
    ],
)
def test_no_identity(
    server: Serving, client: httpx.Client, machine: SimulatedMachine, content: bytes, words: str
) -> None:
    response = post(server, client, machine, content)
    assert response.status_code == 400
    assert words in response.json()["error"]
    assert words in server.log


def test_too_large(server: Serving, client: httpx.Client, machine: SimulatedMachine) -> None:
    response = post(server, client, machine, b" " * (2 << 20))
    assert response.status_code == 413
    assert "larger than 1048576 bytes" in response.json()["error"]
    assert post(server, client, machine, b" " * (5 << 20)).status_code == 413


@pytest.mark.parametrize(
    "authorization", ["", "Bearer wrong", "Bearer", "Basic eDp5", "Bearer a b"]
)
def test_wrong_token(server: Serving, client: httpx.Client, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for path, document in {
        "answer": identity(1),
        "events": {"event": "start"},
        "logs": {},
    }.items():
        response = client.post(f"{server.https}/{path}", json=document, headers=headers)
        assert response.status_code == 401
        assert "token" in response.json()["error"]


def test_token_of_another_machine(
    server: Serving, client: httpx.Client, machine: SimulatedMachine
) -> None:
    other = identity(99_999)
    response = client.post(
        f"{server.https}/answer",
        json=other,
        headers={"Authorization": f"Bearer {machine.parameters['slipway.answer-token']}"},
    )
    assert response.status_code == 403
    assert "another machine" in response.json()["error"]


def test_token_after_the_installation_started(
    server: Serving, client: httpx.Client, machine: SimulatedMachine
) -> None:
    machine.take(client.send(machine.answer_request()))
    machine.take(client.send(machine.answer_request()))
    assert machine.answers[0]["global"] == machine.answers[1]["global"]
    client.send(machine.report(next(machine.installation()))).raise_for_status()
    assert client.send(machine.answer_request()).status_code == 401


@pytest.mark.parametrize(
    "query",
    ["mac=", "mac=zz", "uuid=1", "mac=52:54:00", pytest.param("mac=" + "5" * 4000, id="long")],
)
def test_unknown_machine(server: Serving, client: httpx.Client, query: str) -> None:
    for loader in ("ipxe", "grub"):
        response = client.get(f"{server.http}/boot/{loader}?{query}")
        assert response.status_code == 400
        assert "hardware address" in response.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/netboot/../site.toml",
        "/netboot/..%2fsite.toml",
        "/netboot../site.toml",
        "/netboot/%2e%2e/site.toml",
        "/netboot/live/../../password",
        "/static/../session.py",
        "/static/%2e%2e/session.py",
        "/static/..%2f..%2fschema.sql",
    ],
)
def test_path_traversal(server: Serving, path: str) -> None:
    for url, tls in ((server.http, False), (server.https, True)):
        said = raw(url, f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n".encode(), tls)
        assert b" 404 " in said.splitlines()[0] or b" 400 " in said.splitlines()[0]
        assert b"let me in" not in said
        assert b"fqdn" not in said


def raw(url: str, sent: bytes, tls: bool = False) -> bytes:
    """Everything a server says to these bytes, which no HTTP library would send."""
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=SLOW_LIMIT) as plain:
        connection = trusting().wrap_socket(plain) if tls else plain
        with connection:
            connection.sendall(sent)
            said = b""
            while part := connection.recv(1 << 16):
                said += part
            return said


def test_bad_events(server: Serving, client: httpx.Client, machine: SimulatedMachine) -> None:
    machine.take(client.send(machine.answer_request()))
    hook = machine.answers[0]["webhook"]
    headers = {"Authorization": f"Bearer {hook['token']}"}
    for content in (b"", b"{", b"[]", b"1", b'{"event": "x"}', b'{"stage": "x"}', b'{"phase": 1}'):
        response = client.post(hook["url"], content=content, headers=headers)
        assert response.status_code == 400, content
    wrong = {"phase": "progress", "path": [{}], "done_bytes": "x", "total_bytes": -1}
    assert client.post(hook["url"], json=wrong, headers=headers).status_code == 204


def test_slow_clients(server: Serving, client: httpx.Client, machine: SimulatedMachine) -> None:
    """Hundreds of connections that never finish their request hold up nobody, and are ended."""
    parts = urlsplit(server.http)
    assert parts.hostname and parts.port
    slow = [socket.create_connection((parts.hostname, parts.port)) for _ in range(300)]
    try:
        for connection in slow:
            connection.sendall(b"GET /boot/ipxe?mac=")
        assert machine.understand(client.get(machine.boot_url()).text) == "install"
        machine.take(client.send(machine.answer_request()))
        end = time.monotonic() + SLOW_LIMIT
        for connection in slow:
            connection.settimeout(max(0.1, end - time.monotonic()))
            said = connection.recv(4096)
            assert said == b"" or b" 408 " in said
    finally:
        for connection in slow:
            connection.close()


def test_a_body_that_stops(server: Serving) -> None:
    """nginx waits for it and not the server; then the connection is closed."""
    sent = b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    begin = time.monotonic()
    said = raw(server.https, sent, tls=True)
    assert said == b"" or b" 408 " in said.splitlines()[0]
    assert time.monotonic() - begin < SLOW_LIMIT


def test_only_machines_use_plain_http(server: Serving, client: httpx.Client) -> None:
    for path in ("answer", "events", "api/machines", "login", "metrics"):
        assert client.get(f"{server.http}/{path}").status_code == 404
    assert client.get(f"{server.http}/").headers["location"] == f"{server.https}/"


def test_ranges(server: Serving, client: httpx.Client) -> None:
    url = f"{server.http}/netboot/live/10-node.squashfs"
    response = client.get(url, headers={"Range": "bytes=10-19"})
    assert (response.status_code, len(response.content)) == (206, 10)
    assert response.headers["content-range"] == "bytes 10-19/100000"
    assert client.get(url, headers={"Range": "bytes=200000-"}).status_code == 416


def test_guessing_the_password_is_slow(server: Serving, client: httpx.Client) -> None:
    """Only tries count: the page that asks for the password is there all the time."""
    url = f"{server.https}/login"

    def guess(number: int) -> int:
        return client.post(url, data={"password": f"guess {number}"}).status_code

    # At once: between guesses in turn, on a busy machine, the next one would be allowed.
    with ThreadPoolExecutor(40) as pool:
        guesses = list(pool.map(guess, range(40)))
    assert set(guesses) == {403, 429}
    assert guesses.count(429) > guesses.count(403)
    assert [client.get(url).status_code for _ in range(20)] == [200] * 20


BROKEN = """
[[machines]]
name = "broken"
match.serial = "SIM00001"
answer.global.mailto = "{{ nothing }}"
"""


def test_template_that_cannot_be_rendered(tmp_path: Path, client: httpx.Client) -> None:
    """It harms the machine that it is for, which goes on asking, and no other."""
    with serving(tmp_path, lambda http, https: site_text(http, https) + BROKEN) as own:
        line = (tmp_path / "site.toml").read_text().splitlines().index(BROKEN.splitlines()[-1]) + 1
        broken, good = (SimulatedMachine(number, own.http) for number in (1, 2))
        for machine in (broken, good):
            assert machine.understand(client.get(machine.boot_url()).text) == "install"
        response = client.send(broken.answer_request())
        assert response.status_code == 503 and response.headers["retry-after"]
        why = f"site.toml:{line}:1: machines[0].answer.global.mailto"
        assert why in response.json()["error"] and why in own.log
        good.take(client.send(good.answer_request()))
        assert good.answers[0]["global"]["fqdn"] == "node1.example.org"
        machines = client.get(f"{own.https}/api/machines", auth=("any", "let me in")).json()
        assert why in machines["machines"][0]["reason"]
