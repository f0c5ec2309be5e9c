"""What the installer tells while it works: events, and those who listen to them.

Events are hierarchical: a step begins, may progress, and ends with a result and its seconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agent.core.errors import SlipwayError

Phase = Literal["start", "progress", "finish", "failure", "message"]
ACTIVE_CONSOLES = Path("/sys/class/tty/console/active")
# A line for every tenth of a long step: readable at 9600 baud, and never silent for long.
PROGRESS_STEPS = 10


@dataclass(frozen=True)
class Event:
    """One thing that happened. done and total are bytes, seconds is the step's duration."""

    phase: Phase
    text: str
    seconds: float = 0.0
    done: int = 0
    total: int = 0


Listener = Callable[[Event], None]


@dataclass
class Report:
    """Hands every event to all listeners."""

    listeners: list[Listener] = field(default_factory=list)

    def message(self, text: str) -> None:
        """Something a person should read."""
        self._tell(Event("message", text))

    def failure(self, error: SlipwayError) -> None:
        """The end of an installation that did not succeed."""
        self._tell(Event("failure", str(error)))

    @contextmanager
    def step(self, text: str) -> Iterator[Callable[[int, int], None]]:
        """One step; gives a function that takes (bytes done, bytes in all)."""
        begin = time.monotonic()
        shown = -1

        def progress(done: int, total: int) -> None:
            nonlocal shown
            part = done * PROGRESS_STEPS // max(total, 1)
            if part > shown:
                shown = part
                self._tell(Event("progress", text, time.monotonic() - begin, done, total))

        self._tell(Event("start", text))
        yield progress
        self._tell(Event("finish", text, time.monotonic() - begin))

    def _tell(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)


def line(event: Event) -> str:
    """The event as one line for a person; steps that only begin are not worth one."""
    match event.phase:
        case "start":
            return f"{event.text} ..."
        case "progress":
            percent = 100 * event.done // max(event.total, 1)
            return (
                f"{event.text}: {event.done / 1e6:.0f} of {event.total / 1e6:.0f} MB, {percent} %"
            )
        case "finish":
            return f"{event.text}: done in {event.seconds:.1f} s"
        case "failure":
            return f"failed: {event.text}"
        case "message":
            return event.text


def to_log(event: Event) -> None:
    """Listener: the log."""
    level = logging.ERROR if event.phase == "failure" else logging.INFO
    logging.getLogger("installer").log(level, "%s", line(event))


def consoles() -> list[Path]:
    """The screen and the serial lines that the kernel writes to."""
    try:
        return [Path("/dev") / name for name in ACTIVE_CONSOLES.read_text().split()]
    except OSError:
        return []


def to_consoles(event: Event) -> None:
    """Listener: every console. One that cannot be written to never stops an installation."""
    if event.phase == "start":
        return
    text = line(event).replace("\n", "\r\n")
    for console in consoles():
        try:
            with console.open("w") as stream:
                stream.write(f"slipway-installer: {text}\r\n")
        except OSError as error:
            logging.getLogger("installer").warning("%s: %s", console, error)
