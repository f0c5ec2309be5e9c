"""The webhook is told how a node comes up, and nothing of it can hold up the node."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from agent.status import NOT_STARTED, Status
from agent.webhook import Patience, webhook
from installer.execute.files import write_secret
from installer.plan.webhook import webhook_file, webhook_secret
from tests.unit.answers.files import MINIMAL, load
from tests.unit.answers.servers import make_certificate, reply, serving

PATIENCE = Patience(request=5, first=0.05, longest=0.1, close=10)
CONVERGING = Status(stage="converging", ready=False, unmet=("network: pending",))
READY = Status(stage="ready", ready=True, unmet=())


def installed(folder: Path, port: int, fingerprint: str) -> Path:
    """The file as an installation with [webhook] leaves it."""
    hook = {
        "url": f"https://127.0.0.1:{port}/events",
        "cert-fingerprint": fingerprint,
        "token": "secret-token",
    }
    table = load(MINIMAL | {"webhook": hook}).answer.webhook
    (action,) = webhook_file(table)
    write_secret(webhook_secret(table)[action.secret].get_secret_value(), action.path, folder)
    return folder / action.path.lstrip("/")


def test_the_last_status_arrives_whatever_the_server_did_before(tmp_path: Path) -> None:
    fingerprint = make_certificate(tmp_path / "server.pem")
    replies = (reply(503), reply(503), reply(204))
    with serving(*replies, certificate=tmp_path / "server.pem") as server:
        path = installed(tmp_path, server.port, fingerprint)
        assert path.stat().st_mode & 0o777 == 0o600
        with webhook(path, PATIENCE) as hook:
            assert hook
            hook.tell(CONVERGING)
            # As when all is done.
            path.unlink()
            hook.tell(READY)
    told = [json.loads(request.body) for request in server.asked]
    assert told[-1] == READY.model_dump(mode="json")
    assert told.count(told[-1]) == len(server.asked) - [x["ready"] for x in told].index(True)
    assert {request.authorization for request in server.asked} == {"Bearer secret-token"}


def test_another_certificate_is_not_told_the_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_certificate(tmp_path / "server.pem")
    hasty = Patience(request=5, first=0.05, longest=0.05, close=0.3)
    with serving(reply(204), certificate=tmp_path / "server.pem") as server:
        with webhook(installed(tmp_path, server.port, "0" * 64), hasty) as hook:
            assert hook
            hook.tell(READY)
    assert server.asked == []
    assert "was not told how this run ended" in caplog.text
    assert "secret-token" not in caplog.text


def test_a_refusal_is_not_repeated(tmp_path: Path) -> None:
    fingerprint = make_certificate(tmp_path / "server.pem")
    with serving(reply(401), certificate=tmp_path / "server.pem") as server:
        with webhook(installed(tmp_path, server.port, fingerprint), PATIENCE) as hook:
            assert hook
            hook.tell(NOT_STARTED)
    assert len(server.asked) == 1


def test_a_node_without_a_webhook(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with webhook(tmp_path / "missing.json") as hook:
        assert hook is None
    assert caplog.text == ""
    (tmp_path / "damaged.json").write_text("{")
    with webhook(tmp_path / "damaged.json") as hook:
        assert hook is None
    assert "cannot be read" in caplog.text
