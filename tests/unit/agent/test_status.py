"""The status object, the banner, and `slipway status`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from agent import __version__, banner, clock, node, status
from agent.__main__ import main
from agent.config import Boot, LvmThin, NodeConfig
from agent.core.command import Argument, Result
from agent.journal import Journal
from agent.plan import Progress
from agent.report import Reporter
from agent.step import Retry

DONE = Progress("done", seconds=1.5)
RETRIED = Progress("failed", "no bus", attempts=1, retry_at=5.0)
GIVEN_UP = Progress("failed", "no unit", attempts=1, retry_at=None)
WAITING = Progress("waiting", "no disk", attempts=1, retry_at=None)
CONFIG = NodeConfig(
    fqdn="node1.example.org",
    storage=LvmThin(volume_group="pve", thin_pool="data"),
    boot=Boot(esps=(), kernel_parameters=()),
)


@pytest.mark.parametrize(
    ("steps", "stage"),
    [
        ((DONE, DONE), "ready"),
        ((DONE, Progress()), "converging"),
        ((DONE, Progress("in progress")), "converging"),
        ((DONE, RETRIED), "retrying"),
        ((RETRIED, WAITING), "waiting for operator"),
        ((WAITING, GIVEN_UP), "failed"),
    ],
)
def test_stage(steps: tuple[Progress, ...], stage: status.Stage) -> None:
    assert status.stage_of({str(place): step for place, step in enumerate(steps)}) == stage


def test_unmet_says_why() -> None:
    progress = {"a": DONE, "b": WAITING, "c": Progress()}
    assert status.unmet_of(progress) == ("b: no disk", "c: pending")


class FakeNode:
    """What the reporter reads from the machine, and what it makes the machine do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.address = ""
        self.commands: list[tuple[Argument, ...]] = []
        monkeypatch.setattr(node, "address_of", lambda _interface: self.address)
        monkeypatch.setattr(node, "kvm_present", lambda: False)
        monkeypatch.setattr(clock, "synchronized", self.synchronized)
        monkeypatch.setattr(banner, "run", self.run)

    def synchronized(self) -> bool:
        raise Retry("no bus")

    def run(self, argv: list[Argument], *, check: bool) -> Result:
        self.commands.append(tuple(argv))
        return Result((), 0, "", "")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeNode:
    return FakeNode(monkeypatch)


@pytest.fixture
def reporter(fake: FakeNode, tmp_path: Path) -> Reporter:
    journal = Journal(tmp_path / "journal.json")
    journal.begin("storage", "abc")
    return Reporter(CONFIG, journal, tmp_path / "run/status.json", tmp_path / "run/banner")


def test_every_change_is_published(fake: FakeNode, reporter: Reporter) -> None:
    reporter.changed({"storage": RETRIED})
    first = status.load(reporter.status_path)
    assert (first.stage, first.ready, first.unmet) == ("retrying", False, ("storage: no bus",))
    assert first.node and (first.node.address, first.node.web_url) == ("", "")
    fake.address = "192.0.2.10"
    reporter.changed({"storage": DONE})
    last = status.load(reporter.status_path)
    assert (last.stage, last.ready, last.unmet, last.clock) == ("ready", True, (), "unknown")
    assert last.steps["storage"] == status.StepStatus(state="done", reason="", seconds=1.5, acted=1)
    assert last.node == status.Node(
        fqdn="node1.example.org",
        address="192.0.2.10",
        web_url="https://192.0.2.10:9090",
        kvm="absent",
        version=__version__,
    )
    assert reporter.status_path.stat().st_mode & 0o777 == 0o644


def test_the_address_is_read_until_it_is_known_and_when_the_node_is_ready(
    fake: FakeNode, reporter: Reporter
) -> None:
    def address_after(progress: Progress) -> str:
        reporter.changed({"storage": progress})
        assert reporter.status.node
        return reporter.status.node.address

    assert address_after(Progress()) == ""
    fake.address = "192.0.2.10"
    assert address_after(Progress("in progress")) == "192.0.2.10"
    fake.address = "192.0.2.11"
    assert address_after(RETRIED) == "192.0.2.10"
    assert address_after(DONE) == "192.0.2.11"


def test_the_banner_follows_the_stage(fake: FakeNode, reporter: Reporter) -> None:
    reporter.changed({"storage": RETRIED})
    text = reporter.banner_path.read_text()
    assert "node1.example.org: retrying\n" in text
    assert "no address yet" in text and "slipway status" in text
    fake.address = "192.0.2.10"
    reporter.changed({"storage": DONE})
    text = reporter.banner_path.read_text()
    assert "node1.example.org: ready\n" in text
    assert "https://192.0.2.10:9090\n" in text and "slipway status" not in text


def test_consoles_are_drawn_anew_only_when_the_banner_changes(
    fake: FakeNode, reporter: Reporter
) -> None:
    fake.address = "192.0.2.10"
    reporter.changed({"storage": Progress(), "services": Progress()})
    reporter.changed({"storage": DONE, "services": Progress()})
    assert fake.commands == [("agetty", "--reload")]
    reporter.changed({"storage": DONE, "services": DONE})
    assert len(fake.commands) == 2


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `slipway status` looks for the status."""
    path = tmp_path / "status.json"
    monkeypatch.setattr(status, "PATH", path)
    return path


READY = status.Status(
    stage="ready",
    ready=True,
    unmet=(),
    steps={"time": status.StepStatus(state="done", reason="a note", seconds=5.0, acted=1)},
    node=status.Node(
        fqdn="node1.example.org",
        address="192.0.2.10",
        web_url="https://192.0.2.10:9090",
        kvm="present",
        version="1",
    ),
    clock="synchronized",
)


def test_a_node_that_was_just_started_is_not_ready(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--json"]) == 3
    shown = json.loads(capsys.readouterr().out)
    assert (shown["stage"], shown["ready"]) == ("not started", False)
    published.write_text("{")
    assert main(["status"]) == 3
    assert "has not started" in capsys.readouterr().out


def test_a_ready_node(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status.publish(READY, published)
    assert main(["status", "--json"]) == 0
    assert status.Status.model_validate_json(capsys.readouterr().out) == READY
    assert main(["status"]) == 0
    shown = capsys.readouterr().out
    for words in ("node1.example.org: ready", "https://192.0.2.10:9090", "KVM): present", "a note"):
        assert words in shown


def test_waiting_ends_when_the_node_is_ready(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            status.publish(READY, published)

    monkeypatch.setattr(time, "sleep", sleep)
    assert main(["status", "--wait"]) == 0
    assert len(slept) == 3


def test_waiting_has_an_end(published: Path) -> None:
    assert main(["status", "--wait", "0.01"]) == 3
