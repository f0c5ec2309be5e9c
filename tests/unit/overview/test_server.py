"""The server on a real socket, and parts in processes of their own."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence

import pytest
import requests

from agent.__main__ import main
from agent.core.errors import SlipwayError
from agent.overview import parts, server
from agent.overview.model import Answer, Part, Subject

LIMIT = 30.0


class Collecting:
    """Counts how often something is collected."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, subject: Subject) -> dict[str, Part]:
        self.times += 1
        return {subject: Part(value=self.times)}


@pytest.fixture
def collecting() -> Collecting:
    return Collecting()


@pytest.fixture
def url(collecting: Collecting, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(server, "IDLE_SECONDS", 1.0)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    made = server.Server(listening, collecting)
    thread = threading.Thread(target=made.serve_until_idle)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    # It ends by itself when nobody asks.
    thread.join(LIMIT)
    assert not thread.is_alive()
    made.server_close()


def test_it_tells_again_what_it_has_just_collected(url: str, collecting: Collecting) -> None:
    for _ in range(3):
        found = requests.get(f"{url}/node", timeout=LIMIT)
        assert Answer.model_validate_json(found.content).parts == {"node": Part(value=1)}
    assert requests.get(f"{url}/cluster", timeout=LIMIT).json()["parts"]["cluster"]["value"] == 2
    assert collecting.times == 2


@pytest.mark.parametrize("path", ["/", "/nodes", "/node/", "/node?x"])
def test_it_tells_nothing_else(url: str, collecting: Collecting, path: str) -> None:
    assert requests.get(f"{url}{path}", timeout=LIMIT).status_code == 404
    assert requests.post(f"{url}/node", timeout=LIMIT).status_code == 501
    assert collecting.times == 0


def test_a_client_that_says_nothing_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.Handler, "timeout", 0.2)
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        assert requests.get(f"{url}/node", timeout=LIMIT).status_code == 200


def test_each_part_is_what_its_command_prints() -> None:
    found = parts.collect({"status": ("status", "--json")}, main)
    assert found["status"].value["schema_version"] == 1
    assert found["status"].error == ""


def test_a_command_that_this_version_does_not_have() -> None:
    found = parts.collect({"x": ("teleport", "--json")}, main)
    assert found["x"] == Part(error="this version of Slipway has no: slipway teleport --json")


def commands(words: Sequence[str]) -> int:
    """Commands that behave badly."""
    match words[0]:
        case "hangs":
            time.sleep(LIMIT)
        case "fails":
            raise SlipwayError("never told")
        case "works":
            print(json.dumps({"fine": True}))
    return 0


def test_one_that_hangs_or_dies_takes_no_other_with_it(capfd: pytest.CaptureFixture[str]) -> None:
    begin = time.monotonic()
    found = parts.collect({name: (name,) for name in ("hangs", "fails", "works")}, commands, 1.0)
    assert time.monotonic() - begin < LIMIT
    assert found["hangs"].error == "slipway hangs did not end within 1 seconds"
    assert found["fails"].error.startswith("slipway fails failed")
    assert found["works"].value == {"fine": True}
    assert "never told" in capfd.readouterr().err


def test_what_went_wrong_is_the_error_of_the_part() -> None:
    found = parts.part("slipway x", "", "slipway: no disk\n  put one in\n")
    assert found == Part(error="no disk\n  put one in")
    assert parts.part("slipway x", "", "").error == "slipway x printed nothing"
