"""Answer servers that work, fail, stall and lie. All are real servers on this machine."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from installer.answers.fetch import fetch
from installer.answers.parse import MAXIMUM_BYTES
from installer.answers.places import SourceError, Web
from installer.web import Patience
from tests.unit.answers.files import MINIMAL_TOML
from tests.unit.answers.servers import cut, make_certificate, reply, serving, stall

ANSWER = MINIMAL_TOML.encode()
IDENTITY = {"dmi": {"system": {"serial": "S1"}}}
QUICK = Patience(total=20, attempt=10, first=0.001, longest=0.01)
SECRET = "node1:hunter2"


class Certificate:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "server.pem"
        self.fingerprint = make_certificate(self.path).replace(":", "").lower()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def plain(port: int, path: str = "/answer") -> Web:
    return Web(f"http://127.0.0.1:{port}{path}", insecure=True)


def test_posts_the_identity_and_takes_toml(certificate: Certificate, told: list[str]) -> None:
    with serving(reply(200, ANSWER), certificate=certificate.path) as server:
        place = Web(f"https://127.0.0.1:{server.port}/a", fingerprint=certificate.fingerprint)
        assert fetch(place, IDENTITY, told.append, QUICK) == (ANSWER, "toml")
    assert [(x.method, x.path, x.authorization) for x in server.asked] == [("POST", "/a", None)]
    assert json.loads(server.asked[0].body) == IDENTITY
    assert told == []


def test_takes_json_by_its_type(told: list[str]) -> None:
    with serving(reply(201, b"{}", "application/json; charset=utf-8")) as server:
        assert fetch(plain(server.port), IDENTITY, told.append, QUICK) == (b"{}", "json")


@pytest.mark.parametrize("status", [405, 501])
def test_servers_of_plain_files_are_asked_with_get(status: int, told: list[str]) -> None:
    with serving(reply(status), reply(200, ANSWER)) as server:
        assert fetch(plain(server.port), IDENTITY, told.append, QUICK)[0] == ANSWER
    assert [request.method for request in server.asked] == ["POST", "GET"]
    assert told == []


def test_a_pinned_answer_over_plain_http_does_not_tell_who_asks(told: list[str]) -> None:
    with serving(reply(200, ANSWER)) as server:
        place = Web(f"http://127.0.0.1:{server.port}/")
        assert fetch(place, IDENTITY, told.append, QUICK)[0] == ANSWER
    assert [(request.method, request.body) for request in server.asked] == [("GET", b"")]


def test_three_errors_and_then_an_answer(told: list[str]) -> None:
    with serving(reply(500), reply(503), reply(429), reply(200, ANSWER)) as server:
        assert fetch(plain(server.port), IDENTITY, told.append, QUICK)[0] == ANSWER
    assert len(server.asked) == 4
    assert [line.split("; ")[0] for line in told] == [
        f"http://127.0.0.1:{server.port}/answer: HTTP status {status}" for status in (500, 503, 429)
    ]
    assert all("trying again in" in line for line in told)


def test_an_answer_cut_in_half_is_asked_for_again(told: list[str]) -> None:
    with serving(cut(ANSWER), reply(200, ANSWER)) as server:
        assert fetch(plain(server.port), IDENTITY, told.append, QUICK)[0] == ANSWER
    assert len(told) == 1


def test_a_stalled_answer_is_asked_for_again(told: list[str], release: threading.Event) -> None:
    patience = Patience(total=20, attempt=0.2, first=0.001, longest=0.01)
    with serving(stall(release), reply(200, ANSWER)) as server:
        assert fetch(plain(server.port), IDENTITY, told.append, patience)[0] == ANSWER
        release.set()
    assert "no whole answer within" in told[0]


def test_gives_up_after_the_limit(told: list[str]) -> None:
    patience = Patience(total=0.3, attempt=0.2, first=0.001, longest=0.05)
    with serving(reply(500)) as server:
        with pytest.raises(SourceError, match=r"within 0.3 seconds, at last: HTTP status 500"):
            fetch(plain(server.port), IDENTITY, told.append, patience)
    assert len(server.asked) == len(told) + 1 > 2


def test_a_server_that_is_down_is_asked_again(told: list[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(SourceError, match="Connection refused"):
            fetch(plain(port), IDENTITY, told.append, Patience(0.1, 0.1, 0.001, 0.01))
    assert told


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404])
def test_what_does_not_pass_is_not_asked_again(status: int, told: list[str]) -> None:
    with serving(reply(status, b"" if status == 204 else b"no such\nmachine\x1b")) as server:
        with pytest.raises(SourceError, match=f"HTTP status {status}") as caught:
            fetch(plain(server.port), IDENTITY, told.append, QUICK)
    assert caught.value.hint == (None if status == 204 else "no such machine")
    assert len(server.asked) == 1
    assert told == []


def test_redirects_are_not_followed(told: list[str]) -> None:
    with serving(reply(302, Location="/other"), reply(200, ANSWER)) as server:
        with pytest.raises(SourceError, match="redirects"):
            fetch(plain(server.port), IDENTITY, told.append, QUICK)
    assert len(server.asked) == 1


def test_an_answer_beyond_the_limit_is_refused(told: list[str]) -> None:
    with serving(reply(200, b"#" * (MAXIMUM_BYTES + 1))) as server:
        with pytest.raises(SourceError, match="larger than 1024 KiB"):
            fetch(plain(server.port), IDENTITY, told.append, QUICK)


def test_the_largest_answer_is_taken(told: list[str]) -> None:
    with serving(reply(200, b"#" * MAXIMUM_BYTES)) as server:
        assert len(fetch(plain(server.port), IDENTITY, told.append, QUICK)[0]) == MAXIMUM_BYTES


def test_another_certificate_is_refused_before_anything_is_sent(
    certificate: Certificate, told: list[str]
) -> None:
    with serving(reply(200, ANSWER), certificate=certificate.path) as server:
        place = Web(
            f"https://127.0.0.1:{server.port}/",
            fingerprint="0" * 64,
            token=SecretStr(SECRET),
        )
        with pytest.raises(SourceError, match="not trusted") as caught:
            fetch(place, IDENTITY, told.append, QUICK)
    assert certificate.fingerprint in caught.value.message
    assert server.asked == []
    assert told == []


def test_an_unknown_certificate_is_refused(certificate: Certificate, told: list[str]) -> None:
    with serving(reply(200, ANSWER), certificate=certificate.path) as server:
        place = Web(f"https://127.0.0.1:{server.port}/")
        with pytest.raises(SourceError, match="not trusted: self-signed certificate") as caught:
            fetch(place, IDENTITY, told.append, QUICK)
    assert "slipway.answer-fingerprint" in str(caught.value.hint)
    assert server.asked == []


def test_the_token_is_sent_and_never_told(
    certificate: Certificate, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    replies = (reply(500, SECRET.encode()), reply(403, f"no {SECRET}".encode()))
    with serving(*replies, certificate=certificate.path) as server:
        place = Web(
            f"https://127.0.0.1:{server.port}/a?secret=hunter2",
            fingerprint=certificate.fingerprint,
            token=SecretStr(SECRET),
        )
        with pytest.raises(SourceError) as caught:
            fetch(place, IDENTITY, told.append, QUICK)
    assert [x.authorization for x in server.asked] == [f"Bearer {SECRET}"] * 2
    assert server.asked[0].path == "/a?secret=hunter2"
    assert len(told) == 1
    assert caught.value.hint == "no ***"
    assert "hunter2" not in f"{told}{caught.value}{caplog.text}{place!r}{place}"


def test_addresses_with_secrets_stay_out_of_errors(told: list[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = plain(unused.getsockname()[1], "/a?secret=hunter2")
        with pytest.raises(SourceError) as caught:
            fetch(place, IDENTITY, told.append, Patience(0.1, 0.1, 0.001, 0.01))
    assert "hunter2" not in f"{told}{caught.value}"


def test_the_environment_has_no_say(
    told: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with serving(reply(200, ANSWER)) as server:
        assert fetch(plain(server.port), IDENTITY, told.append, QUICK)[0] == ANSWER
    assert server.asked[0].authorization is None
