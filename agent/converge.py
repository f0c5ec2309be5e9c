"""The loop that runs the steps until the node is what its configuration says.

What to do is decided in agent.plan; here it is done, recorded, and reported.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.core.errors import SlipwayError
from agent.journal import Journal
from agent.plan import Order, Progress, backoff_limit, next_step, reasons_to_act
from agent.step import Fatal, Step, WaitForOperator

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How patient a run is.

    budget: seconds after which no step is tried again; monotonic, sleep: the time, in seconds;
    jitter: picks the wait from between two lengths, so that many nodes do not try in step.
    """

    budget: float = 600.0
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[float, float], float] = random.uniform


class Run:
    """One run over all steps. progress holds, by name and in order, how far each one is."""

    def __init__(
        self,
        steps: Sequence[Step],
        journal: Journal,
        changed: Callable[[Mapping[str, Progress]], None],
        pace: Pace = Pace(),
    ) -> None:
        """changed: called at every change of the progress."""
        self.steps = {step.name: step for step in steps}
        self.journal = journal
        self.changed = changed
        self.pace = pace
        self.progress = {step.name: Progress() for step in steps}

    def converge(self) -> Mapping[str, Progress]:
        """Run every step until all are done, a person is needed, or the time is used up."""
        orders = [Order(step.name, step.needs) for step in self.steps.values()]
        end = self.pace.monotonic() + self.pace.budget
        self.changed(self.progress)
        while chosen := next_step(orders, self.progress, self.pace.monotonic()):
            name, instant = chosen
            if instant > end and self.progress[name].attempts:
                break
            self.pace.sleep(max(0.0, instant - self.pace.monotonic()))
            self._try(self.steps[name])
        return self.progress

    def _try(self, step: Step) -> None:
        attempts = self.progress[step.name].attempts + 1
        started = self.pace.monotonic()
        log.info("step %s started", step.name)
        self._note(step, Progress("in progress", attempts=attempts))
        try:
            note = self._perform(step)
        except Exception as error:
            self._failed(step, error, attempts, self.pace.monotonic() - started)
            return
        seconds = self.pace.monotonic() - started
        self.journal.done(step.name, step.checksum(), seconds, attempts, note)
        self._note(step, Progress("done", note, seconds, attempts))
        log.info("step %s done (%.1f s)%s", step.name, seconds, f": {note}" if note else "")

    def _perform(self, step: Step) -> str:
        record = self.journal.record(step.name)
        checksum = step.checksum()
        reasons = reasons_to_act(record, checksum, step.observe())
        if reasons:
            log.info("step %s acts: %s", step.name, "; ".join(reasons))
            self.journal.begin(step.name, checksum)
            step.act()
            self.journal.acted(step.name)
        return step.prove()

    def _failed(self, step: Step, error: Exception, attempts: int, seconds: float) -> None:
        state: Literal["failed", "waiting"]
        state = "waiting" if isinstance(error, WaitForOperator) else "failed"
        reason = describe(error)
        retry_at = None
        if may_pass(error):
            limit = backoff_limit(attempts)
            retry_at = self.pace.monotonic() + self.pace.jitter(limit / 2, limit)
        self.journal.failed(step.name, state, seconds, attempts, reason)
        self._note(step, Progress(state, reason, seconds, attempts, retry_at))
        log.error("step %s %s: %s", step.name, state, reason)
        if not isinstance(error, SlipwayError):
            log.debug("step %s", step.name, exc_info=error)

    def _note(self, step: Step, progress: Progress) -> None:
        self.progress[step.name] = progress
        self.changed(self.progress)


def may_pass(error: Exception) -> bool:
    """A later try can succeed: not after a Fatal, and not after an error of the program."""
    return isinstance(error, SlipwayError | OSError) and not isinstance(
        error, Fatal | WaitForOperator
    )


def describe(error: Exception) -> str:
    """The error in one line for a person, with what to do about it."""
    match error:
        case SlipwayError():
            words = " - ".join(part for part in (error.message, error.hint) if part)
        case OSError(filename=str(name)):
            words = f"{name}: {error.strerror}"
        case OSError():
            words = error.strerror or str(error)
        case _:
            words = f"unexpected error: {type(error).__name__}: {error}"
    return " ".join(words.split())
