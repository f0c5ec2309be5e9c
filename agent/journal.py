"""The agent's memory: which step did what, kept through crashes and power cuts.

The journal never replaces looking: a step acts when the node shows that something is missing.
It adds what cannot be seen, such as an act that began and did not end.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.core.files import write_atomically

PATH = Path("/var/lib/slipway/journal.json")

State = Literal["pending", "in progress", "done", "failed", "waiting"]

log = logging.getLogger(__name__)


class Record(BaseModel):
    """What is known about one step.

    input: checksum of the input it last worked on; seconds: how long the last try took;
    attempts: tries of the last run; acted: how often it changed the node, ever;
    unfinished: an act began and did not return.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State = "pending"
    input: str = ""
    started: datetime | None = None
    finished: datetime | None = None
    seconds: float = 0.0
    reason: str = ""
    attempts: int = 0
    acted: int = 0
    unfinished: bool = False


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1] = 1
    steps: dict[str, Record] = {}


class Journal:
    """The records of all steps; every change is on disk before the method returns."""

    def __init__(self, path: Path) -> None:
        """Read the journal. One that is damaged is put aside: the node itself is the truth."""
        self.path = path
        self._content = _read(path)

    def record(self, step: str) -> Record:
        """What is known about the step."""
        return self._content.steps.get(step, Record())

    def begin(self, step: str, checksum: str) -> None:
        """Note that the step is about to act on this input."""
        before = self.record(step)
        self._change(
            step,
            state="in progress",
            input=checksum,
            started=datetime.now(UTC),
            finished=None,
            reason="",
            acted=before.acted + 1,
            unfinished=True,
        )

    def acted(self, step: str) -> None:
        """Note that the act came to its end."""
        self._change(step, unfinished=False)

    def done(self, step: str, checksum: str, seconds: float, attempts: int, note: str) -> None:
        """Note that the step is proved. One that was so before keeps its record untouched."""
        before = self.record(step)
        if (before.state, before.input, before.reason) == ("done", checksum, note):
            return
        self._change(step, input=checksum, **_end("done", seconds, attempts, note))

    def failed(
        self,
        step: str,
        state: Literal["failed", "waiting"],
        seconds: float,
        attempts: int,
        reason: str,
    ) -> None:
        """Note that a try did not succeed, and why."""
        self._change(step, **_end(state, seconds, attempts, reason))

    def _change(self, step: str, **update: object) -> None:
        record = self.record(step).model_copy(update=update)
        content = _Content(steps={**self._content.steps, step: record})
        write_atomically(self.path, content.model_dump_json(indent=2) + "\n", mode=0o600)
        self._content = content


def _end(state: State, seconds: float, attempts: int, reason: str) -> dict[str, object]:
    return {
        "state": state,
        "finished": datetime.now(UTC),
        "seconds": round(seconds, 3),
        "attempts": attempts,
        "reason": reason,
    }


def _read(path: Path) -> _Content:
    try:
        return _Content.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return _Content()
    except ValidationError:
        aside = path.with_suffix(".damaged")
        os.replace(path, aside)
        log.warning("the journal was damaged and is now %s", aside)
        return _Content()
