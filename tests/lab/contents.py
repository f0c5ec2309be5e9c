"""What is on a raw disk image, seen from outside."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 20


def fill(image: Path, size: int) -> None:
    """Make a sparse image of so many bytes with 1 MiB of noise at its start, middle and end."""
    image.parent.mkdir(parents=True, exist_ok=True)
    noise = random.Random(size)
    with image.open("wb") as file:
        for offset in (0, size // 2, size - CHUNK):
            file.seek(offset)
            file.write(noise.randbytes(CHUNK))


def fingerprint(image: Path) -> str:
    """SHA-256 over all data and where it lies. Holes count as holes: zeros written change it."""
    digest = hashlib.sha256()
    with image.open("rb", buffering=0) as file:
        for start, end in _extents(file.fileno()):
            digest.update(f"{start} {end}\n".encode())
            file.seek(start)
            for offset in range(start, end, CHUNK):
                digest.update(file.read(min(CHUNK, end - offset)))
    return digest.hexdigest()


def _extents(descriptor: int) -> Iterator[tuple[int, int]]:
    """Where the file has data: first byte, and the byte after the last."""
    size = os.fstat(descriptor).st_size
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError:
            # ENXIO: only a hole is left.
            return
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end
