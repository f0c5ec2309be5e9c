"""The planner: which step comes next, and when one has to act."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.journal import Record, State
from agent.plan import Order, Progress, backoff_limit, next_step, reasons_to_act

ORDERS = (Order("one"), Order("two"), Order("last", needs=("one", "two")))


def progress(one: Progress, two: Progress, last: Progress) -> dict[str, Progress]:
    return {"one": one, "two": two, "last": last}


DONE, PENDING = Progress("done"), Progress()
STUCK = Progress("waiting", attempts=1, retry_at=None)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (progress(PENDING, PENDING, PENDING), ("one", 50.0)),
        (progress(DONE, PENDING, PENDING), ("two", 50.0)),
        (progress(DONE, DONE, PENDING), ("last", 50.0)),
        (progress(DONE, DONE, DONE), None),
        (progress(STUCK, PENDING, PENDING), ("two", 50.0)),
        (progress(STUCK, DONE, PENDING), None),
        (progress(Progress("failed", attempts=1, retry_at=70.0), DONE, PENDING), ("one", 70.0)),
        (progress(Progress("failed", attempts=1, retry_at=70.0), PENDING, DONE), ("two", 50.0)),
        (progress(Progress("failed", attempts=1, retry_at=20.0), PENDING, DONE), ("two", 50.0)),
    ],
)
def test_next_step(state: dict[str, Progress], expected: tuple[str, float] | None) -> None:
    assert next_step(ORDERS, state, now=50.0) == expected


any_progress = st.builds(
    Progress,
    state=st.sampled_from(get_args(State)),
    attempts=st.integers(0, 5),
    retry_at=st.none() | st.floats(0, 100),
)


@given(st.builds(progress, any_progress, any_progress, any_progress), st.floats(0, 100))
def test_no_step_runs_twice_too_early_or_before_what_it_needs(
    state: dict[str, Progress], now: float
) -> None:
    chosen = next_step(ORDERS, state, now)
    if chosen is None:
        return
    name, instant = chosen
    retry_at = state[name].retry_at
    assert state[name].state != "done"
    assert retry_at is not None and instant >= retry_at and instant >= now
    needs = {order.name: order.needs for order in ORDERS}[name]
    assert all(state[need].state == "done" for need in needs)


def test_a_done_step_that_still_holds_does_not_act() -> None:
    assert reasons_to_act(Record(state="done", input="abc"), "abc", ()) == ()


def test_a_node_that_is_already_as_desired_is_left_alone() -> None:
    assert reasons_to_act(Record(), "abc", ()) == ()


@pytest.mark.parametrize(
    ("record", "missing", "reasons"),
    [
        (Record(state="done", input="abc"), ("the pool",), ("the pool",)),
        (Record(state="in progress", input="abc", unfinished=True), (), ("it was interrupted",)),
        (Record(state="failed", input="abc", unfinished=True), (), ("it was interrupted",)),
        (Record(state="failed", input="abc"), (), ()),
        (Record(state="done", input="old"), (), ("its input has changed",)),
    ],
)
def test_reasons_to_act(record: Record, missing: tuple[str, ...], reasons: tuple[str, ...]) -> None:
    assert reasons_to_act(record, "abc", missing) == reasons


def test_waits_double_up_to_the_cap() -> None:
    waits = [backoff_limit(attempts) for attempts in range(1, 8)]
    assert waits == [2, 4, 8, 16, 32, 60, 60]
    assert backoff_limit(10_000) == 60
