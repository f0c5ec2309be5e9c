"""Deliveries to real servers: down, slow, failing, refusing, and not the right one."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from installer.report.delivery import Delivery
from installer.web import Patience
from installer.web_server import Server
from tests.unit.answers.servers import AnswerServer, make_certificate, reply, serving, stall

QUICK = Patience(total=float("inf"), attempt=20, first=0.001, longest=0.01)
# Long enough for any machine; no test waits for it to pass.
AMPLE = 30.0
SECRET = "node1:hunter2"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("certificate") / "server.pem"
    return path, make_certificate(path).replace(":", "").lower()


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def plain(port: int) -> Delivery:
    return Delivery("[webhook]", Server(f"http://127.0.0.1:{port}/hook"), QUICK)


def bodies(server: AnswerServer) -> list[object]:
    return [json.loads(request.body) for request in server.asked]


def test_documents_arrive_in_their_order() -> None:
    with serving(reply(204)) as server:
        delivery = plain(server.port)
        for number in range(5):
            delivery.send({"number": number})
        assert delivery.close(AMPLE) == ""
    assert bodies(server) == [{"number": number} for number in range(5)]
    assert {(request.method, request.path) for request in server.asked} == {("POST", "/hook")}


def test_three_errors_and_then_success() -> None:
    with serving(reply(500), reply(503), reply(500), reply(200)) as server:
        delivery = plain(server.port)
        delivery.send({"event": "success"})
        assert delivery.close(AMPLE) == ""
    assert bodies(server) == [{"event": "success"}] * 4


def test_a_server_that_comes_up_late_gets_everything() -> None:
    with serving(reply(200)) as first:
        port = first.port
    delivery = plain(port)
    delivery.send({"event": "start"})
    delivery.send({"event": "success"})
    with serving(reply(200), port=port) as server:
        assert delivery.close(AMPLE) == ""
    assert bodies(server) == [{"event": "start"}, {"event": "success"}]


def test_a_server_that_is_down_is_given_up_at_the_limit() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        delivery = plain(unused.getsockname()[1])
        delivery.send({"event": "success"})
        assert delivery.close(0.2) == "[webhook]: Connection refused; given up"


def test_what_is_given_up_is_not_delivered_later() -> None:
    with serving(reply(200)) as first:
        port = first.port
    delivery = plain(port)
    delivery.send({"event": "success"})
    assert delivery.close(0.05) != ""
    # The next try is the last one, and it comes before anybody listens.
    assert delivery.close(AMPLE) == "[webhook]: Connection refused"
    with serving(reply(200), port=port) as server:
        assert delivery.close(AMPLE) != ""
    assert server.asked == []


def test_a_server_that_never_answers_is_given_up_at_the_limit(release: threading.Event) -> None:
    with serving(stall(release)) as server:
        delivery = plain(server.port)
        delivery.send({"event": "success"})
        assert delivery.close(0.2) == "[webhook]: no answer yet; given up"
        release.set()


def test_a_slow_server_is_waited_for(release: threading.Event) -> None:
    with serving(stall(release)) as server:
        delivery = plain(server.port)
        delivery.send({"event": "success"})
        assert delivery.close(0.05) != ""
        release.set()
        # The rest of the answer has come, and nothing had to be sent again.
        assert delivery.close(AMPLE) == ""
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 302])
def test_a_refused_document_does_not_hold_up_the_next(status: int) -> None:
    with serving(reply(status, SECRET.encode()), reply(200)) as server:
        delivery = plain(server.port)
        delivery.send({"event": "start"})
        delivery.send({"event": "success"})
        assert delivery.close(AMPLE) == ""
    assert bodies(server) == [{"event": "start"}, {"event": "success"}]


def test_a_refusal_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with serving(reply(403, SECRET.encode())) as server:
        delivery = plain(server.port)
        delivery.send({"event": "success"})
        assert delivery.close(AMPLE) == "[webhook]: HTTP status 403"
    assert "[webhook]: HTTP status 403" in caplog.text
    assert "hunter2" not in caplog.text


def test_the_pinned_server_gets_the_token(certificate: tuple[Path, str]) -> None:
    path, fingerprint = certificate
    with serving(reply(200), certificate=path) as server:
        url = f"https://127.0.0.1:{server.port}/hook"
        delivery = Delivery("[webhook]", Server(url, fingerprint, SecretStr(SECRET)), QUICK)
        delivery.send({"event": "success"})
        assert delivery.close(AMPLE) == ""
    assert [request.authorization for request in server.asked] == [f"Bearer {SECRET}"]


@pytest.mark.parametrize("fingerprint", ["0" * 64, ""])
def test_another_server_gets_nothing(
    certificate: tuple[Path, str], fingerprint: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(reply(200), certificate=certificate[0]) as server:
        url = f"https://user:hunter2@127.0.0.1:{server.port}/hunter2?key=hunter2"
        delivery = Delivery("[webhook]", Server(url, fingerprint, SecretStr(SECRET)), QUICK)
        delivery.send({"event": "success"})
        problem = delivery.close(AMPLE)
    assert problem.startswith("[webhook]: the server's certificate is not trusted")
    assert server.asked == []
    assert problem in caplog.text
    assert "hunter2" not in f"{problem}{caplog.text}"


def test_a_document_that_cannot_be_sent_is_a_problem_and_no_more() -> None:
    with serving(reply(200)) as server:
        delivery = plain(server.port)
        delivery.send({"event": object()})
        assert "a defect of the installer" in delivery.close(AMPLE)
    assert server.asked == []
