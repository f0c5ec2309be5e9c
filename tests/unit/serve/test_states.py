"""The table of states: what must never happen, whatever comes in."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image.serve.states import (
    COMMANDS,
    NEW,
    READY,
    STATES,
    TABLE,
    Command,
    Input,
    Refused,
    Report,
    Standing,
    after,
    commands,
)

INPUTS: tuple[Input, ...] = (*get_args(Command), *get_args(Report))


def walk(inputs: list[Input]) -> list[tuple[Standing, Input, Standing]]:
    steps, standing = [], NEW
    for what in inputs:
        try:
            new = after(standing, what)
        except Refused:
            continue
        steps.append((standing, what, new))
        standing = new
    return steps


@given(st.lists(st.sampled_from(INPUTS), max_size=30))
def test_only_a_command_makes_a_machine_install(inputs: list[Input]) -> None:
    for before, what, new in walk(inputs):
        if new.boot == "install" and before.boot != "install":
            assert what in ("approve", "retry")


@given(st.lists(st.sampled_from(INPUTS), max_size=30))
def test_what_may_have_a_system_installs_only_after_retry(inputs: list[Input]) -> None:
    touched = False
    for _, what, new in walk(inputs):
        touched = (touched or what == "answered" and new.state == "installing") and what not in (
            "retry",
            "approve",
        )
        if touched:
            assert new.boot != "install"


def test_the_usual_way() -> None:
    inputs: list[Input] = ["approve", "answered", "installed", "ready"]
    assert walk(inputs)[-1][2] == READY
    assert [new.state for _, _, new in walk(inputs)] == [
        "approved",
        "installing",
        "installed",
        "ready",
    ]


def test_reports_are_never_refused() -> None:
    for standing in {NEW, *TABLE.values()}:
        for report in get_args(Report):
            after(standing, report)


@pytest.mark.parametrize("state", STATES)
def test_commands_are_possible_or_refused(state: str) -> None:
    standing = next(x for x in (NEW, *TABLE.values()) if x.state == state)
    for command in COMMANDS:
        if command in commands(standing.state):
            assert after(standing, command) != standing
        else:
            with pytest.raises(Refused, match=command):
                after(standing, command)


def test_a_success_after_a_restart_counts() -> None:
    restarted = after(after(after(NEW, "approve"), "answered"), "restarted")
    assert (restarted.state, restarted.boot) == ("failed", "disk")
    assert after(restarted, "ready") == READY
