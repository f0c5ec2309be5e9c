"""A guest's lease on shared storage, as the storage sees it: who writes it, and when."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

LOOK_SECONDS = 0.05
# The guest's starts choose among so many sectors, see tests.lab.tiny_guest.
SECTORS = 0x1000
_LEASE = re.compile(rb"lease (\S+) (\d+)\n")


@dataclass
class Writer:
    """One start of the guest. Times of its first and last write are of time.monotonic()."""

    first: float
    last: float
    number: int


@dataclass
class Lease:
    """The writers by what tells their starts apart, in the order in which they came.

    Each start writes into a sector of its own, see tests.lab.tiny_guest, so none hides another.
    """

    image: Path
    writers: dict[bytes, Writer] = field(default_factory=dict)

    def look(self) -> None:
        now = time.monotonic()
        with self.image.open("rb") as image:
            content = image.read(SECTORS * 512)
        for start, number in _LEASE.findall(content):
            writer = self.writers.setdefault(start, Writer(now, now, int(number)))
            if int(number) != writer.number:
                writer.last, writer.number = now, int(number)


@contextmanager
def watched(image: Path) -> Iterator[Lease]:
    """Look at a raw image all the time, in the background."""
    lease, ended = Lease(image), threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            lease.look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lease
    finally:
        ended.set()
        thread.join()
