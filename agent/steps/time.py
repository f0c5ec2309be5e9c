"""Time: chrony runs; a cluster also needs the clock to be synchronized before it starts."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.step import Retry, Step
from agent.systemd import Systemd

UNITS = ("chrony.service",)
POLL_SECONDS = 0.5


class Time(Step):
    """The clock is right, or is at least being set."""

    name = "time"

    def __init__(
        self,
        systemd: Systemd,
        synchronized: Callable[[], bool],
        *,
        required: bool,
        wait_seconds: float,
    ) -> None:
        """required: a clock that is not synchronized keeps the step from being done."""
        self.systemd = systemd
        self.synchronized = synchronized
        self.required = required
        self.wait_seconds = wait_seconds

    def desired(self) -> object:
        return {"units": UNITS, "required": self.required}

    def observe(self) -> tuple[str, ...]:
        return self.systemd.missing(UNITS)

    def act(self) -> None:
        self.systemd.bring_up(UNITS)

    def prove(self) -> str:
        self.systemd.prove(UNITS)
        end = time.monotonic() + self.wait_seconds
        while not self.synchronized():
            if time.monotonic() >= end:
                return self._not_synchronized()
            time.sleep(POLL_SECONDS)
        return ""

    def _not_synchronized(self) -> str:
        if self.required:
            raise Retry(
                "the clock is not synchronized, and a cluster needs it to be",
                hint="see which time servers answer: chronyc sources",
            )
        return "the clock is not synchronized yet"
