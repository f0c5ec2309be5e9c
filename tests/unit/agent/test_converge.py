"""The loop: errors of each class, order, time, and that it converges after every interruption."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.converge import describe
from agent.core.errors import CommandFailed
from agent.journal import Journal
from agent.plan import Progress
from agent.step import Fatal, Retry, Step, WaitForOperator
from tests.unit.agent.fake_steps import FakeStep, FakeTime, Power, PowerCut, converge


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.json"


def states(progress: dict[str, Progress]) -> dict[str, str]:
    return {name: step.state for name, step in progress.items()}


def three_steps(node: set[str], power: Power) -> tuple[Step, ...]:
    return (
        FakeStep("one", node, point=power.point),
        FakeStep("two", node, point=power.point),
        FakeStep("three", node, needs=("one", "two"), point=power.point),
    )


def test_a_second_run_acts_nothing(path: Path) -> None:
    node: set[str] = set()
    converge(Journal(path), *three_steps(node, Power()))
    assert len(node) == 6
    before = path.read_bytes()
    progress = converge(Journal(path), *three_steps(node, Power()))
    assert states(dict(progress)) == {"one": "done", "two": "done", "three": "done"}
    assert [Journal(path).record(name).acted for name in progress] == [1, 1, 1]
    assert path.read_bytes() == before


def test_it_converges_wherever_the_power_fails(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut at every point of acting and of writing the journal, then at every point once more."""
    power = Power()
    replace = os.replace

    def cut_around_replace(source: Path, target: Path) -> None:
        power.point()
        replace(source, target)
        power.point()

    monkeypatch.setattr(os, "replace", cut_around_replace)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: power.point())

    def run_until_cut(node: set[str], fails_at: int) -> bool:
        power.fails_at, power.passed = fails_at, 0
        try:
            converge(Journal(path), *three_steps(node, power))
        except PowerCut:
            return True
        return False

    cuts = 0
    while True:
        cuts += 1
        node: set[str] = set()
        path.unlink(missing_ok=True)
        if not run_until_cut(node, cuts):
            break
        run_until_cut(node, cuts // 2 + 1)
        assert not run_until_cut(node, 0)
        assert len(node) == 6
        journal = Journal(path)
        records = [journal.record(name) for name in ("one", "two", "three")]
        assert all(record.state == "done" and not record.unfinished for record in records)
        assert all(1 <= record.acted <= 3 for record in records)
        assert not run_until_cut(node, 0)
        assert [Journal(path).record(name) for name in ("one", "two", "three")] == records
    # Three steps, each with 5 points of its own and 3 writes of 4 points.
    assert cuts - 1 == 3 * (5 + 3 * 4)


def test_what_was_lost_is_brought_back(path: Path) -> None:
    node: set[str] = set()
    converge(Journal(path), FakeStep("one", node))
    node.clear()
    converge(Journal(path), FakeStep("one", node))
    assert node == {"one: seen", "one: hidden"}
    assert Journal(path).record("one").acted == 2


def test_a_changed_input_is_acted_upon(path: Path) -> None:
    node: set[str] = set()
    converge(Journal(path), FakeStep("one", node, input="old"))
    converge(Journal(path), FakeStep("one", node, input="new"))
    converge(Journal(path), FakeStep("one", node, input="new"))
    assert Journal(path).record("one").acted == 2


def test_a_proof_that_fails_is_repeated_without_acting_again(path: Path) -> None:
    time = FakeTime()
    step = FakeStep("one", set(), errors=(Retry("not yet"), Retry("not yet"), Retry("not yet")))
    progress = converge(Journal(path), step, time=time)
    assert (progress["one"].state, progress["one"].attempts) == ("done", 4)
    assert Journal(path).record("one").acted == 1
    assert [seconds for seconds in time.slept if seconds] == [2, 4, 8]


def test_tries_end_with_the_time_of_the_run(path: Path) -> None:
    time = FakeTime()
    step = FakeStep("one", set(), errors=tuple(Retry("no bus", hint="wait") for _ in range(99)))
    progress = converge(Journal(path), step, time=time, budget=100.0)
    assert progress["one"].state == "failed"
    assert progress["one"].reason == "no bus - wait"
    assert time.now <= 1100
    assert Journal(path).record("one").attempts == progress["one"].attempts == 6


def test_a_step_that_used_the_time_up_keeps_none_from_its_first_try(path: Path) -> None:
    node: set[str] = set()
    time = FakeTime()
    slow = FakeStep("slow", node, point=lambda: time.sleep(300))
    progress = converge(Journal(path), slow, FakeStep("next", node), time=time, budget=100.0)
    assert states(dict(progress)) == {"slow": "done", "next": "done"}


def test_who_waits_for_a_person_keeps_only_those_who_need_it(path: Path) -> None:
    node: set[str] = set()
    progress = converge(
        Journal(path),
        FakeStep("disk", node, errors=(WaitForOperator("no disk", hint="add one"),)),
        FakeStep("web", node),
        FakeStep("last", node, needs=("disk", "web")),
    )
    assert states(dict(progress)) == {"disk": "waiting", "web": "done", "last": "pending"}
    assert progress["disk"].reason == "no disk - add one"
    assert Journal(path).record("disk").state == "waiting"
    after = converge(Journal(path), FakeStep("disk", node), FakeStep("web", node))
    assert states(dict(after)) == {"disk": "done", "web": "done"}


@pytest.mark.parametrize(
    ("error", "state", "retried"),
    [
        (Retry("busy"), "done", True),
        (CommandFailed(("tool",), 1, "busy"), "done", True),
        (OSError(28, "No space left on device"), "done", True),
        (Fatal("never"), "failed", False),
        (WaitForOperator("help"), "waiting", False),
        (KeyError("a mistake in the program"), "failed", False),
    ],
)
def test_classes_of_errors(path: Path, error: Exception, state: str, retried: bool) -> None:
    progress = converge(Journal(path), FakeStep("one", set(), errors=(error,)))
    assert progress["one"].state == state
    assert progress["one"].attempts == (2 if retried else 1)


def test_a_reason_is_one_line_with_what_to_do() -> None:
    assert describe(Retry("a\nb", hint="c")) == "a b - c"
    assert describe(OSError(28, "No space left")) == "No space left"
    assert describe(KeyError("x")) == "unexpected error: KeyError: 'x'"


def test_every_change_is_told(path: Path) -> None:
    from agent.converge import Run

    told: list[dict[str, str]] = []
    steps = (FakeStep("one", set(), errors=(Retry("busy"),)),)
    Run(
        steps,
        Journal(path),
        lambda progress: told.append(states(dict(progress))),
        FakeTime().pace(),
    ).converge()
    assert [state["one"] for state in told] == [
        "pending",
        "in progress",
        "failed",
        "in progress",
        "done",
    ]
