"""Templates: the node has those of its configuration, or goes on fetching them.

A unit of its own fetches, and tries again until it has succeeded; a source that is down does not
keep the node from being ready.
"""

from __future__ import annotations

import time

from agent.config import Templates as Wanted
from agent.step import Step
from agent.systemd import Systemd
from agent.templates.store import Store

UNITS = ("slipway-templates.service",)
WAIT_SECONDS = 60.0
POLL_SECONDS = 0.5
# How systemd calls a service that failed and will be started again.
AGAIN = ("auto-restart", "auto-restart-queued")


class Templates(Step):
    """The templates that the answer file asked for."""

    name = "templates"
    needs = ("network",)

    def __init__(
        self,
        wanted: Wanted,
        systemd: Systemd,
        store: Store,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self.wanted = wanted
        self.systemd = systemd
        self.store = store
        self.wait_seconds = wait_seconds

    def desired(self) -> object:
        return self.wanted.model_dump(mode="json")

    def observe(self) -> tuple[str, ...]:
        return tuple(f"the template {name} is not there" for name in self._missing())

    def act(self) -> None:
        self.systemd.bring_up(UNITS)

    def prove(self) -> str:
        end = time.monotonic() + self.wait_seconds
        while missing := self._missing():
            (unit,) = self.systemd.units(UNITS)
            failed = unit.active_state == "failed" or unit.sub_state in AGAIN
            if failed or time.monotonic() >= end:
                names = ", ".join(missing)
                return f"not fetched yet: {names}; see: journalctl -b -u {unit.name}"
            time.sleep(POLL_SECONDS)
        return ""

    def _missing(self) -> tuple[str, ...]:
        return tuple(name for name in self.wanted.fetch if not self.store.find(name))
