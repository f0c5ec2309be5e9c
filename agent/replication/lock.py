"""A guest's disks are replicated once at a time, and not while it moves."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path("/run/slipway/replication")


@contextmanager
def alone(key: str, folder: Path = FOLDER) -> Iterator[None]:
    """Wait until nobody else on this node is at work on the disks of this guest. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / key).open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
