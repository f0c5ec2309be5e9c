"""Switching HA on: what is left to do, and when it is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.cluster.ha import Situation, plan
from agent.cluster.sbd import Sbd
from agent.step import Retry, WaitForOperator

OFF = Sbd(enabled=False, running=False, watchdog_seconds=5, fencing_seconds=0)
SITUATION = Situation(
    told=OFF,
    nodes=3,
    quorate=True,
    offline=(),
    resources=(),
    tie_breaker=True,
    two_node=False,
    device=False,
)


def told(**changes: Any) -> Situation:
    return replace(SITUATION, told=replace(OFF, **changes))


def test_from_nothing_to_fencing() -> None:
    assert plan(SITUATION) == ("set up sbd", "restart", "tell the members")


def test_an_interrupted_attempt_goes_on() -> None:
    assert plan(told(enabled=True)) == ("restart", "tell the members")
    assert plan(told(enabled=True, running=True)) == ("tell the members",)
    assert plan(told(enabled=True, running=True, fencing_seconds=30)) == ()


@pytest.mark.parametrize("changes", [{"offline": ("node3",)}, {"quorate": False}])
def test_everybody_must_be_there(changes: dict[str, Any]) -> None:
    with pytest.raises(Retry, match="not there: (node3|a quorum)"):
        plan(replace(SITUATION, **changes))


def test_what_is_on_needs_nobody() -> None:
    on = told(enabled=True, running=True, fencing_seconds=30)
    assert plan(replace(on, offline=("node2",), resources=("vm1",))) == ()


def test_guests_under_pacemaker_are_not_stopped() -> None:
    with pytest.raises(WaitForOperator, match="vm1"):
        plan(replace(SITUATION, resources=("vm1",)))


def test_never_two_node_with_a_watchdog_alone() -> None:
    with pytest.raises(WaitForOperator, match="two_node"):
        plan(replace(SITUATION, nodes=2, two_node=True, tie_breaker=False))


def test_an_even_number_needs_the_tie_breaker_or_a_device() -> None:
    even = replace(SITUATION, nodes=4, tie_breaker=False)
    with pytest.raises(WaitForOperator, match="tie breaker"):
        plan(even)
    assert plan(replace(even, device=True)) == plan(SITUATION)
