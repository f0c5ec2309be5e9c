"""The server on a real socket, and parts in processes of their own."""

from __future__ import annotations

import json
import multiprocessing
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from agent.__main__ import main
from agent.core.errors import SlipwayError
from agent.overview import parts, server
from agent.overview.model import Answer, Part, Subject

LIMIT = 30.0


class Collecting:
    """Counts, in a file, how often something is collected. slow: seconds that a cluster takes."""

    def __init__(self, log: Path, slow: float = 0.0) -> None:
        self.log = log
        self.slow = slow
        log.touch()

    @property
    def times(self) -> int:
        return len(self.log.read_text())

    def __call__(self, subject: Subject) -> dict[str, Part]:
        with self.log.open("a") as stream:
            stream.write("x")
        if subject == "cluster":
            time.sleep(self.slow)
        return {subject: Part(value=self.times)}


@contextmanager
def serving(collecting: Collecting, folder: Path) -> Iterator[str]:
    """A server in a process of its own, which ends when nobody asks."""
    folder.mkdir()
    listening = socket.create_server(("127.0.0.1", 0))
    made = server.Server(listening, collecting, folder)
    made.timeout = 1.0
    process = multiprocessing.get_context("fork").Process(target=made.serve_until_idle)
    process.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    process.join(LIMIT)
    assert process.exitcode == 0
    made.server_close()


@pytest.fixture
def collecting(tmp_path: Path) -> Collecting:
    return Collecting(tmp_path / "collected")


@pytest.fixture
def url(collecting: Collecting, tmp_path: Path) -> Iterator[str]:
    with serving(collecting, tmp_path / "kept") as where:
        yield where


def test_it_tells_again_what_it_has_just_collected(url: str, collecting: Collecting) -> None:
    for _ in range(3):
        found = requests.get(f"{url}/node", timeout=LIMIT)
        assert Answer.model_validate_json(found.content).parts == {"node": Part(value=1)}
    assert requests.get(f"{url}/cluster", timeout=LIMIT).json()["parts"]["cluster"]["value"] == 2
    assert collecting.times == 2


def test_who_asks_for_one_subject_does_not_wait_for_the_other(tmp_path: Path) -> None:
    with serving(Collecting(tmp_path / "collected", slow=5.0), tmp_path / "kept") as where:
        host, port = where.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as waiting:
            waiting.sendall(b"GET /cluster HTTP/1.0\r\n\r\n")
            assert requests.get(f"{where}/node", timeout=LIMIT).status_code == 200
            waiting.setblocking(False)
            with pytest.raises(BlockingIOError):
                waiting.recv(1)


@pytest.mark.parametrize("path", ["/", "/nodes", "/node/", "/node?x"])
def test_it_tells_nothing_else(url: str, collecting: Collecting, path: str) -> None:
    assert requests.get(f"{url}{path}", timeout=LIMIT).status_code == 404
    assert requests.post(f"{url}/node", timeout=LIMIT).status_code == 501
    assert collecting.times == 0


def test_a_client_that_says_nothing_holds_nobody_up(url: str) -> None:
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
