"""Waiting for a condition, never for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.step import Retry

POLL_SECONDS = 0.5


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once the condition holds. Raises Retry, which says what was waited for."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            raise Retry(f"after {seconds:g} seconds still waiting for {what}")
        time.sleep(POLL_SECONDS)
