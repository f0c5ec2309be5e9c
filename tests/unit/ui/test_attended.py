"""The engine's loop with people: start, failure, retry from the failed step, leave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.core.errors import SlipwayError
from installer import engine as engine_module
from installer import medium
from installer.engine import Engine
from installer.execute import target
from installer.execute.executor import Installation
from installer.execute.files import NodeIdentity
from installer.plan.model import Action
from installer.report.events import Report
from installer.session.attended import attend
from installer.session.outlook import steps_of
from installer.session.protocol import Choose, Command, Leave, Retry, SetPassword, Stage, Start
from installer.session.session import Session, command_line
from tests.unit.answers.files import MINIMAL, load
from tests.unit.network.machines import STATIC
from tests.unit.ui.machines import PASSWORD, FakeMachine
from tests.unit.ui.machines import inventory as make_inventory

LIMIT = 30.0


@dataclass
class Play:
    """An engine in a thread of its own. did: the kinds of actions; fail_at: one that fails."""

    machine: FakeMachine = field(default_factory=FakeMachine)
    did: list[str] = field(default_factory=list)
    fail_at: str = ""
    news: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.session = Session(self.machine, self._publish)
        report = Report()
        self.engine = Engine(
            report, Path("log"), lambda plan: self.session.update(steps=steps_of(plan))
        )
        self.number = 0

    def _publish(self, _topic: str, _text: str) -> None:
        with self.news:
            self.news.notify_all()

    def do(self, action: Action) -> None:
        if action.kind == self.fail_at:
            raise SlipwayError("Device or resource busy", where="/dev/sda", hint="wait")
        self.did.append(action.kind)

    def wait_for(self, stage: Stage) -> None:
        with self.news:
            found = self.news.wait_for(lambda: self.session.state.stage == stage, LIMIT)
        assert found, f"{self.session.state.stage} instead of {stage}"

    def wait_for_plan(self) -> str:
        with self.news:
            assert self.news.wait_for(lambda: self.session.state.plan is not None, LIMIT)
        assert self.session.state.plan
        return self.session.state.plan.digest

    def ask(self, command: Command) -> None:

        reply = self.session.answer(1, command_line(1, command))
        assert b'"error":""' in reply, reply

    def start(self) -> None:
        self.ask(SetPassword.model_validate({"password": PASSWORD}))
        self.ask(Start(confirmation="erase", digest=self.wait_for_plan()))


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    play = Play()
    empty = medium.Medium(version="1", kernel_version="6.12", files={}, folder=tmp_path)
    monkeypatch.setattr(medium, "load", lambda: empty)
    monkeypatch.setattr(engine_module, "probe", lambda: play.machine.found)
    monkeypatch.setattr(engine_module, "read_system", lambda: None)
    monkeypatch.setattr(target, "unmount", lambda _target: None)
    monkeypatch.setattr(engine_module, "TARGET", tmp_path / "target")
    monkeypatch.setattr(
        "installer.execute.files.read_identity", lambda _root: NodeIdentity("0", {})
    )
    monkeypatch.setattr(Installation, "root", tmp_path / "target")
    monkeypatch.setattr(Installation, "_do", lambda _made, action, _progress: play.do(action))
    yield play


def begin(play: Play, **arguments: object) -> threading.Thread:
    values = {"answer": None, "failure": None} | arguments
    thread = threading.Thread(
        target=lambda: attend(play.session, play.engine, **values),  # type: ignore[arg-type]
        daemon=True,
    )
    thread.start()
    return thread


def test_from_the_choices_to_the_restart(play: Play) -> None:
    thread = begin(play)
    play.wait_for("choosing")
    assert {"quiet", "ssh"} <= set(play.machine.done)
    assert play.session.state.access
    play.start()
    play.wait_for("installed")
    assert play.did[0] == "wipe-disk" and play.did[-1] == "unmount"
    assert play.session.state.address == "https://198.51.100.1:9090/"
    play.ask(Leave(mode="power-off"))
    thread.join(LIMIT)
    assert play.machine.done[-1] == "leave power-off"


def test_the_failed_step_is_tried_again(play: Play) -> None:
    begin(play)
    play.wait_for("choosing")
    play.fail_at = "unpack-image"
    play.start()
    play.wait_for("failed")
    failure = play.session.state.failure
    assert failure and failure.retry and failure.step.startswith("unpack ")
    assert (failure.message, failure.where) == ("Device or resource busy", "/dev/sda")
    before = list(play.did)
    play.fail_at = ""
    play.ask(Retry())
    play.wait_for("installed")
    assert play.did[: len(before)] == before and play.did[len(before)] == "unpack-image"
    assert play.did.count("wipe-disk") == 1


def test_starting_over_begins_with_the_disks(play: Play) -> None:
    begin(play)
    play.wait_for("choosing")
    play.fail_at = "unpack-image"
    play.start()
    play.wait_for("failed")
    play.fail_at = ""
    play.ask(Retry(begin="beginning"))
    play.wait_for("installed")
    assert play.did.count("wipe-disk") == 2


def test_another_machine_than_the_one_that_was_confirmed(play: Play) -> None:
    begin(play)
    play.wait_for("choosing")
    play.ask(SetPassword.model_validate({"password": PASSWORD}))
    digest = play.wait_for_plan()
    found = make_inventory()
    grown = found.disks[0].model_copy(update={"size_bytes": found.disks[0].size_bytes * 2})
    play.machine.found = found.model_copy(update={"disks": (grown, *found.disks[1:])})
    # As if the probe had not yet seen it.
    play.session.machine = FakeMachine(found)
    play.ask(Start(confirmation="erase", digest=digest))
    play.wait_for("failed")
    assert play.session.state.failure
    assert "not what it was" in play.session.state.failure.message
    assert play.did == []


def test_after_a_failure_without_people_they_take_over(play: Play) -> None:
    answer = load(MINIMAL | {"network": STATIC}).answer
    begin(play, answer=answer, failure=SlipwayError("no disk matches", where="disk-setup"))
    play.wait_for("failed")
    failure = play.session.state.failure
    assert failure and failure.message == "no disk matches" and not failure.retry
    play.ask(Choose())
    play.wait_for("choosing")
    assert play.session.draft["global"]["fqdn"] == "node1.example.com"
    assert play.session.draft["global"]["root-password"] == "correct horse"
    assert "correct horse" not in play.session.state.model_dump_json()


def test_what_cannot_be_prepared_is_left_out(play: Play) -> None:
    play.machine.broken = "ssh"
    begin(play)
    play.wait_for("choosing")
    assert play.session.state.access is None
