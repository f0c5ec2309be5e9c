"""Events as lines for people: in the log, and on every console."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from agent.core.consoles import Consoles
from installer.report.events import Event


def line(event: Event) -> str:
    """The event in words."""
    match event.phase:
        case "start":
            return f"{event.path[-1]} ..."
        case "progress":
            percent = 100 * event.done_bytes // max(event.total_bytes, 1)
            done, total = event.done_bytes / 1e6, event.total_bytes / 1e6
            return f"{event.path[-1]}: {done:.0f} of {total:.0f} MB, {percent} %"
        case "finish":
            ended = "done in" if event.result == "success" else "failed after"
            return f"{event.path[-1]}: {ended} {event.seconds:.1f} s"
        case "failure":
            return f"failed: {event.text}"
        case "message":
            return event.text


def to_log(event: Event) -> None:
    """Listener: the log."""
    level = logging.ERROR if event.phase == "failure" else logging.INFO
    logging.getLogger("installer").log(level, "%s", line(event))


class ToConsoles:
    """Listener: every console, without what says nothing new."""

    def __init__(
        self, consoles: Consoles, taken: Callable[[], Collection[str]] = frozenset
    ) -> None:
        """taken: gives the consoles that belong to a front end now."""
        self.consoles = consoles
        self.taken = taken

    def __call__(self, event: Event) -> None:
        # The failure itself is told after the ends of all steps that it ends.
        if event.phase != "start" and event.result != "failure":
            self.consoles.write(f"slipway-installer: {line(event)}", omit=self.taken())
