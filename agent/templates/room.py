"""Room on the disk for a file, before a byte of it is written."""

from __future__ import annotations

import os
from pathlib import Path

from agent.core.command import run
from agent.core.errors import CommandFailed
from agent.templates.catalogue import TemplateError

# What a node needs to go on working.
RESERVE_BYTES = 256 << 20
SPACE_GONE = "No space left on device"


class NoRoom(TemplateError):
    """The disk is too full, and no other source helps."""


def make_room(path: Path, have: int, size: int | None, reserve: int = RESERVE_BYTES) -> None:
    """Set aside what the file at `path` still lacks. Raises NoRoom.

    have, size: bytes written and in all; reserve: what must stay free. The kernel holds the blocks
    for the file, so two downloads cannot count on the same ones.
    """
    missing = (size or have) - have
    status = os.statvfs(path.parent)
    free = status.f_bavail * status.f_frsize
    if missing + reserve > free:
        raise _no_room(path, missing, free)
    if missing:
        words = ["--keep-size", "--offset", str(have), "--length", str(missing)]
        try:
            run(["fallocate", *words, path])
        except CommandFailed as error:
            # ZFS sets nothing aside; what it has was counted above.
            if SPACE_GONE in error.output:
                raise _no_room(path, missing, free) from error


def _no_room(path: Path, missing: int, free: int) -> NoRoom:
    return NoRoom(
        f"there is not enough room: {missing / 1e6:.1f} MB are needed, and "
        f"{free / 1e6:.1f} MB are free",
        where=str(path.parent),
        hint="make room, for example with: slipway template remove NAME",
    )
