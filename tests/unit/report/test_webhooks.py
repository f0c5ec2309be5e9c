"""What webhooks are told: real HTTP servers, and an installation that goes well or does not."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.core.errors import SlipwayError
from installer.answers.identity import identity
from installer.answers.schema import Answer
from installer.report.events import Event, Report
from installer.report.webhooks import LOG_BYTES, Webhooks, secrets_in, webhooks
from tests.unit.answers.files import MINIMAL, load
from tests.unit.answers.servers import AnswerServer, reply, serving
from tests.unit.storage.machines import disk, machine

PASSWORD = MINIMAL["global"]["root-password"]
USER_PASSWORD = "battery staple"
TOKEN = "per-machine-token"
NODE = {"$schema": {"version": "1.2"}, "fqdn": "node1.example.com"}
MACHINE = identity(machine(disk("sda")))
AMPLE = 30.0


def answer(**tables: Any) -> Answer:
    return load(MINIMAL | tables).answer


def own(server: AnswerServer) -> dict[str, str]:
    return {"url": f"http://127.0.0.1:{server.port}/hook"}


def identify() -> Mapping[str, object]:
    return MACHINE


def sent(server: AnswerServer) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in server.asked]


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    path = tmp_path / "installer.log"
    path.write_text("plan made\n")
    return path


@pytest.fixture
def told() -> list[Event]:
    return []


def test_start_and_success_are_told(log_path: Path, told: list[Event]) -> None:
    with serving(reply(200)) as server:
        with webhooks(answer(webhook=own(server)), identify, log_path, Report([told.append])) as w:
            w.succeeded(lambda: NODE)
    start, success = sent(server)
    assert (start["event"], success["event"]) == ("start", "success")
    assert start["$schema"] == {"version": "1.0"}
    assert start["fqdn"] == "node1.example.com"
    assert start["machine"] == success["machine"] == json.loads(json.dumps(MACHINE))
    assert success["node"] == NODE
    assert 0 <= start["seconds"] <= success["seconds"]
    assert start["time"] < success["time"]
    assert told == []


def test_failure_is_told_with_its_log(log_path: Path) -> None:
    error = SlipwayError("is gone", where="/dev/sda", hint="look at the cable")
    with serving(reply(200)) as server:
        with webhooks(answer(webhook=own(server)), identify, log_path, Report()) as hooks:
            hooks.failed(error)
    assert [document["event"] for document in sent(server)] == ["start", "failure"]
    failure = sent(server)[1]
    assert failure["error"] == {
        "message": "is gone",
        "where": "/dev/sda",
        "hint": "look at the cable",
    }
    assert failure["log"] == "plan made\n"


def test_a_long_log_loses_its_beginning(log_path: Path) -> None:
    log_path.write_text("begin" + "x" * LOG_BYTES + "end")
    with serving(reply(200)) as server:
        hooks = Webhooks(answer(webhook=own(server)), identify, log_path)
        hooks.failed(SlipwayError("no"))
        assert list(hooks.close(AMPLE)) == []
    log = sent(server)[1]["log"]
    assert len(log) == LOG_BYTES
    assert log.endswith("end")


def test_secrets_are_never_sent(
    log_path: Path, caplog: pytest.LogCaptureFixture, told: list[Event]
) -> None:
    caplog.set_level(logging.DEBUG)
    log_path.write_text(f"chpasswd: root:{PASSWORD}\nanna:{USER_PASSWORD}\n{TOKEN}\n")
    with serving(reply(200)) as server, serving(reply(200)) as post:
        made = answer(
            webhook=own(server),
            users=[{"name": "anna", "password": USER_PASSWORD}],
            **{"post-installation-webhook": {**own(post), "auth-token": TOKEN}},
        )
        with webhooks(made, identify, log_path, Report([told.append])) as hooks:
            hooks.failed(SlipwayError("chpasswd failed", hint=f"bad line: root:{PASSWORD}"))
    everything = json.dumps(sent(server)) + caplog.text + str(told)
    assert "bad line: root:***" in everything
    for secret in (PASSWORD, USER_PASSWORD, TOKEN):
        assert secret not in everything
    # Only success is told there.
    assert post.asked == []


def test_every_secret_of_an_answer_is_found() -> None:
    storage = {"type": "rbd", "name": "a", "monitors": ["192.0.2.1"], "pool": "p", "key": "AQ=="}
    made = answer(
        storage=[storage],
        cluster={"mode": "join", "token": "join-token"},
        webhook={"url": "https://example.com", "token": "bearer"},
    )
    assert set(secrets_in(made)) == {PASSWORD, "AQ==", "join-token", "bearer"}


def test_the_post_installation_document_has_the_token(log_path: Path) -> None:
    with serving(reply(200)) as server:
        hook = {**own(server), "auth-token": TOKEN}
        with webhooks(
            answer(**{"post-installation-webhook": hook}), identify, log_path, Report()
        ) as hooks:
            hooks.succeeded(lambda: NODE)
    assert sent(server) == [NODE | {"token": TOKEN}]
    assert server.asked[0].authorization is None


def test_a_node_that_cannot_be_described_is_installed_nevertheless(log_path: Path) -> None:
    def describe() -> Mapping[str, object]:
        raise OSError("no /proc")

    with serving(reply(200)) as server, serving(reply(200)) as post:
        made = answer(webhook=own(server), **{"post-installation-webhook": own(post)})
        with webhooks(made, describe, log_path, Report()) as hooks:
            hooks.succeeded(describe)
    assert [document["event"] for document in sent(server)] == ["start", "success"]
    assert sent(server)[1]["node"] == {}
    assert post.asked == []


def test_servers_that_are_down_fail_nothing(log_path: Path, told: list[Event]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        hook = {"url": f"http://127.0.0.1:{unused.getsockname()[1]}/hunter2"}
        made = answer(webhook=hook, **{"post-installation-webhook": hook})
        with webhooks(made, identify, log_path, Report([told.append]), close_seconds=0.1) as hooks:
            hooks.succeeded(lambda: NODE)
    assert [event.text for event in told] == [
        "warning: [webhook]: Connection refused; given up",
        "warning: [post-installation-webhook]: Connection refused; given up",
    ]


def test_without_webhooks_nobody_is_asked(log_path: Path, told: list[Event]) -> None:
    def describe() -> Mapping[str, object]:
        pytest.fail("nobody wants to know")

    with webhooks(answer(), describe, log_path, Report([told.append])) as hooks:
        hooks.succeeded(describe)
    assert told == []
