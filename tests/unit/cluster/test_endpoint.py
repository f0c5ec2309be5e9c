"""The endpoint against strangers: sizes, types, slow clients, many wrong tokens."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import socket
import ssl
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.cluster import authority
from agent.cluster.enrolment import application, decide, server
from agent.cluster.enrolment.limits import RateLimit
from agent.cluster.enrolment.messages import MAXIMUM_BYTES, Answer, DeviceCertificate, Message
from tests.unit.cluster.endpoint import Running, no_answer, running

LIMIT = 20.0


class NoLimit(RateLimit):
    """For tests of what comes after the limit."""

    def wait(self, host: str, cost: float = 1.0) -> float:
        return 0.0


def context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def post(member: Running, path: str, body: bytes) -> tuple[int, dict[str, str]]:
    host, _, port = member.address.rpartition(":")
    connection = http.client.HTTPSConnection(host, int(port), context=context(), timeout=LIMIT)
    try:
        connection.request("POST", path, body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> object:
    with running(tmp_path_factory.mktemp("endpoint"), no_answer, limit=NoLimit()) as made:
        yield made


GOOD = {
    "id": "0" * 16,
    "secret": "s" * 43,
    "node": "node2",
    "addresses": ["192.0.2.2"],
    "request": authority.request(authority.new_key(), "node2"),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
@pytest.mark.parametrize("path", ["/v1/enrol"])
def test_anything_else_than_a_request_is_refused(member: Running, path: str, body: bytes) -> None:
    status, answer = post(member, path, body)
    assert status == 400
    assert answer["error"].startswith("the request is not valid")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(key=st.sampled_from(sorted(GOOD)), value=JSON.filter(lambda value: value != []))
def test_a_request_with_one_bad_field_is_refused(member: Running, key: str, value: object) -> None:
    status, answer = post(member, "/v1/enrol", json.dumps({**GOOD, key: value}).encode())
    assert status == 400
    assert "s" * 43 not in answer["error"]


def test_what_is_too_large_is_refused(member: Running) -> None:
    status, _ = post(member, "/v1/enrol", b" " * (MAXIMUM_BYTES + 1))
    assert status == 413


def test_what_is_far_too_large_is_not_read(member: Running) -> None:
    head = b"POST /v1/enrol HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n"
    said = closed_by_server(member, head + b" " * 9_999_999)
    assert said == b"closed" or b" 413 " in said


def test_only_the_methods_and_paths_there_are(member: Running) -> None:
    host, _, port = member.address.rpartition(":")
    for method, path, expected in (("GET", "/v1/enrol", 405), ("POST", "/", 404)):
        connection = http.client.HTTPSConnection(host, int(port), context=context(), timeout=LIMIT)
        connection.request(method, path)
        assert connection.getresponse().status == expected
        connection.close()


@pytest.mark.parametrize("sent", [b"", b"POST /v1/enrol HTTP/1.1\r\nHost: a\r\n"])
def test_who_does_not_ask_is_sent_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    with running(tmp_path, no_answer) as slow:
        assert closed_by_server(slow, sent)


def test_who_sends_half_a_request_is_sent_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "BODY_SECONDS", 0.5)
    head = b"POST /v1/enrol HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"
    with running(tmp_path, no_answer) as slow:
        assert b" 408 " in closed_by_server(slow, head)


def test_who_does_not_even_speak_tls_is_sent_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HANDSHAKE_SECONDS", 0.5)
    with running(tmp_path, no_answer) as slow:
        host, _, port = slow.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=LIMIT) as plain:
            assert plain.recv(1) == b""


def closed_by_server(member: Running, sent: bytes) -> bytes:
    """What the server said before it closed; LIMIT ends the test if it never does."""
    host, _, port = member.address.rpartition(":")
    said = b""
    with socket.create_connection((host, int(port)), timeout=LIMIT) as plain:
        try:
            with context().wrap_socket(plain) as tls:
                tls.sendall(sent)
                while data := tls.recv(4096):
                    said += data
        except (ConnectionError, ssl.SSLError):
            pass
    return said or b"closed"


def test_one_source_has_a_few_connections_only(tmp_path: Path) -> None:
    with running(tmp_path, no_answer) as member:
        host, _, port = member.address.rpartition(":")
        held = []
        for number in range(server.PER_SOURCE):
            held.append(socket.create_connection((host, int(port)), timeout=LIMIT))
            # Also those that have not begun their handshake count.
            if number % 2:
                held[-1] = context().wrap_socket(held[-1])
                held[-1].sendall(b"GET ")
        assert closed_by_server(member, b"GET /v1/ca HTTP/1.1\r\nHost: a\r\n\r\n") == b"closed"
        for each in held:
            each.close()


def test_a_thousand_wrong_tokens_at_once(tmp_path: Path) -> None:
    """Few of them reach the member, memory stays bounded, and all the answers are the same."""
    asked = 0
    at_once: set[int] = set()
    inside = 0

    async def ask(_message: Message) -> Answer:
        nonlocal asked, inside
        asked += 1
        inside += 1
        at_once.add(inside)
        await asyncio.sleep(0.01)
        inside -= 1
        return decide.REFUSED

    body = json.dumps(GOOD).encode()
    answers: set[str] = set()
    statuses: dict[int, int] = {}
    lock = threading.Lock()

    def guess(member: Running) -> None:
        try:
            status, answer = post(member, "/v1/enrol", body)
        except (OSError, http.client.HTTPException):
            status, answer = 0, {}
        with lock:
            statuses[status] = statuses.get(status, 0) + 1
            if status == 403:
                answers.add(json.dumps(answer))

    begin = time.monotonic()
    with running(tmp_path, ask) as member:
        tracemalloc.start()
        with ThreadPoolExecutor(64) as pool:
            list(pool.map(lambda _: guess(member), range(1000)))
        grown = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        seconds = time.monotonic() - begin
    assert sum(statuses.values()) == 1000
    # A burst of 20 less what refusals cost, then one for each second that passed.
    assert 1 <= asked <= 20 + seconds
    assert statuses[403] == asked
    assert len(answers) == 1
    assert max(at_once) <= application.WORKERS
    assert statuses.get(429, 0) + statuses.get(0, 0) >= 900
    assert grown < 64_000_000


def test_pcs_on_this_machine_is_told_the_devices_certificates(tmp_path: Path) -> None:
    asked: list[Message] = []

    async def ask(message: Message) -> Answer:
        await asyncio.sleep(0)
        asked.append(message)
        return Answer(certificate="PEM")

    def said(how: str, path: str, source: str) -> tuple[int, bytes]:
        host, _, port = endpoint.address.rpartition(":")
        connection = http.client.HTTPSConnection(
            host, int(port), context=context(), timeout=LIMIT, source_address=(source, 0)
        )
        body = b"certificate_request=MII" if how == "POST" else None
        connection.request(how, path, body)
        response = connection.getresponse()
        found = response.status, response.read()
        connection.close()
        return found

    with running(tmp_path, ask) as endpoint:
        for how, path in application.PCS_ASKS:
            assert said(how, path, "127.0.0.1") == (200, base64.b64encode(b"PEM"))
            assert said(how, path, "127.0.0.2")[0] == 404
    assert asked == [DeviceCertificate(which="authority"), DeviceCertificate(which="cluster")]
