"""Deciding: which step comes next, and whether it has to act. Pure: no clock, no disk, no bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.journal import Record, State


@dataclass(frozen=True)
class Progress:
    """How far a step is in this run of the agent.

    reason: why it is not done, or what a person should know when it is;
    seconds: how long the last try took; attempts: tries in this run;
    retry_at: when to try again, in the run's monotonic seconds; None when nothing would change.
    """

    state: State = "pending"
    reason: str = ""
    seconds: float = 0.0
    attempts: int = 0
    retry_at: float | None = 0.0


@dataclass(frozen=True)
class Order:
    """A step's place: its name and what must be done before it."""

    name: str
    needs: tuple[str, ...] = ()


def next_step(
    orders: Sequence[Order], progress: Mapping[str, Progress], now: float
) -> tuple[str, float] | None:
    """The step to run next and the instant from which it may run; None when none can.

    A step that is due comes before one that waits for its time, one tried less often before one
    tried more often; apart from that the given order holds. A step whose needs are not done does
    not run.
    """
    candidates = [
        (max(now, retry_at), progress[order.name].attempts, place, order.name)
        for place, order in enumerate(orders)
        if progress[order.name].state != "done"
        and (retry_at := progress[order.name].retry_at) is not None
        and all(progress[need].state == "done" for need in order.needs)
    ]
    if not candidates:
        return None
    instant, _, _, name = min(candidates)
    return name, instant


def reasons_to_act(record: Record, checksum: str, missing: Sequence[str]) -> tuple[str, ...]:
    """Why the step must act; empty when it only has to prove that all still holds."""
    reasons = list(missing)
    if record.unfinished:
        reasons.append("it was interrupted")
    if record.input not in ("", checksum):
        reasons.append("its input has changed")
    return tuple(reasons)


def backoff_limit(attempts: int, *, base: float = 2.0, cap: float = 60.0) -> float:
    """The longest wait in seconds before try number attempts + 1: doubling, never above cap."""
    return float(min(cap, base * 2 ** min(attempts - 1, 16)))
