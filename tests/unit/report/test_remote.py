"""The server that the kernel's command line names is told every event."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.core.errors import SlipwayError
from installer.report.events import Report
from installer.report.remote import ToServer, event_server
from tests.unit.answers.servers import make_certificate, reply, serving


def test_events_in_their_order(tmp_path: Path) -> None:
    fingerprint = make_certificate(tmp_path / "server.pem")
    with serving(reply(503), reply(204), certificate=tmp_path / "server.pem") as server:
        words = [
            f"slipway.events=https://127.0.0.1:{server.port}/events",
            f"slipway.events-fingerprint={fingerprint}",
            "slipway.events-token=secret",
        ]
        found = event_server(" ".join(["boot=live", *words]) + "\n")
        assert found
        listener = ToServer(found)
        report = Report([listener])
        with report.step("installation") as progress:
            progress(5, 10)
        report.failure(SlipwayError("is gone", where="/dev/sda"))
        assert listener.close(20) == ""
    told = [json.loads(request.body) for request in server.asked]
    assert told[0] == told[1], "the first one was refused, and sent again"
    assert [event["phase"] for event in told[1:]] == ["start", "progress", "finish", "failure"]
    assert told[2]["done_bytes"] == 5
    assert told[4]["text"] == "/dev/sda: is gone"
    assert {request.authorization for request in server.asked} == {"Bearer secret"}


def test_without_the_parameter_nobody_is_told() -> None:
    assert event_server("boot=live slipway.eventsomething=1") is None


@pytest.mark.parametrize("token", ["", " slipway.events-token=x"])
def test_plain_http_only_when_it_is_allowed(token: str) -> None:
    words = f"slipway.events=http://192.0.2.1/events{token}"
    with pytest.raises(SlipwayError, match="https"):
        event_server(words)
    assert event_server(f"{words} slipway.answer-insecure")
