"""What the installer tells while it works: events, and handing them to all who listen.

Events are hierarchical: a step begins, may progress, may have steps of its own, and ends with a
result and its seconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from agent.core.errors import SlipwayError
from installer.inventory.model import Model

Phase = Literal["start", "progress", "finish", "message", "failure"]
# A line for every tenth of a long step: readable at 9600 baud, and never silent for long.
PROGRESS_STEPS = 10

log = logging.getLogger("installer")


class Event(Model):
    """One thing that happened. docs/reporting.md describes its JSON form.

    path: the step and the steps around it, outermost first; text: the words of a message or
    failure, which are no steps; result: how a step ended; seconds: how long it has taken.
    """

    phase: Phase
    path: tuple[str, ...]
    text: str = ""
    result: Literal["", "success", "failure"] = ""
    seconds: float = 0.0
    done_bytes: int = 0
    total_bytes: int = 0
    time: datetime = Field(default_factory=lambda: datetime.now(UTC))


Listener = Callable[[Event], None]
# Takes (bytes done, bytes in all).
Progress = Callable[[int, int], None]


@dataclass
class Report:
    """Hands every event to all listeners. Its steps are those of one thread."""

    listeners: list[Listener] = field(default_factory=list)
    _path: tuple[str, ...] = ()

    def message(self, text: str) -> None:
        """Something a person should read."""
        self._tell(Event(phase="message", path=self._path, text=text))

    def failure(self, error: SlipwayError) -> None:
        """The end of an installation that did not succeed."""
        self._tell(Event(phase="failure", path=self._path, text=str(error)))

    @contextmanager
    def step(self, text: str) -> Iterator[Progress]:
        """One step, with all steps that begin before it ends."""
        around, begin, shown = self._path, time.monotonic(), -1
        path = self._path = (*around, text)

        def progress(done: int, total: int) -> None:
            nonlocal shown
            part = done * PROGRESS_STEPS // max(total, 1)
            if part > shown:
                shown = part
                self._tell(
                    Event(
                        phase="progress",
                        path=path,
                        seconds=time.monotonic() - begin,
                        done_bytes=done,
                        total_bytes=total,
                    )
                )

        self._tell(Event(phase="start", path=path))
        result: Literal["success", "failure"] = "failure"
        try:
            yield progress
            result = "success"
        finally:
            seconds = time.monotonic() - begin
            self._tell(Event(phase="finish", path=path, result=result, seconds=seconds))
            self._path = around

    def _tell(self, event: Event) -> None:
        for listener in self.listeners:
            try:
                listener(event)
            except Exception:
                log.exception("an event could not be told")
