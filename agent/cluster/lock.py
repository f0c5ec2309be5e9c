"""The add lock: one member changes the cluster's membership at a time.

It is a text in the CIB, so it outlives the move of the designated controller: owner, a random
word, and when it ends. A holder that died is waited for until then.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.cluster.records import Texts
from agent.step import Retry

NAME = "add-lock"
# Longer than an add takes where machines are busy (docs/cluster.md). On one that takes longer the
# lock may end before it; another member begins only if the controller has moved as well.
HELD_SECONDS = 240


@contextmanager
def add_lock(shared: Texts, owner: str, clock: Callable[[], float] = time.time) -> Iterator[None]:
    """Hold the cluster's add lock. Raises Retry when another member holds it.

    Only one process of a node may ask at a time: what an earlier one left is taken over.
    """
    mine = f"{owner}:{secrets.token_hex(8)}:{int(clock()) + HELD_SECONDS}"
    if not shared.create(NAME, mine):
        _remove_dead(shared, owner, clock())
        if not shared.create(NAME, mine):
            raise Retry("another member is changing the cluster", hint="it is tried again")
    try:
        yield
    finally:
        shared.delete(NAME, mine)


def _remove_dead(shared: Texts, owner: str, now: float) -> None:
    held = shared.texts().get(NAME)
    if held is None:
        return
    name, _, ends = held.split(":")
    if name == owner or int(ends) <= now:
        # Only what was seen: a lock that somebody took in the meantime stays.
        shared.delete(NAME, held)
