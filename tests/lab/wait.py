"""Waiting for a condition that can only be asked for again and again."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.lab.errors import LabTimeout


def until[T](
    attempt: Callable[[], T | None], limit: float, what: str, *, where: str, interval: float = 0.5
) -> T:
    """Call `attempt` until it answers something else than None, and return that.

    limit and interval are seconds. Raises LabTimeout.
    """
    end = time.monotonic() + limit
    while (answer := attempt()) is None:
        if time.monotonic() > end:
            raise LabTimeout(what, limit, where=where)
        time.sleep(interval)
    return answer
