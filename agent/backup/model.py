"""A folder of backups: KIND/GUEST/TIME/, each complete once it has its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from agent.core.errors import SlipwayError

Kind = Literal["vm", "container"]
KINDS: tuple[Kind, ...] = ("vm", "container")
# UTC; sorts by age, and can be a file's name anywhere.
TIME = "%Y%m%dT%H%M%SZ"
COMPLETE = re.compile(r"\d{8}T\d{6}Z")
PARTIAL = ".partial"
# What may stand in a unit's ExecStart= and in a path as it is.
GUEST = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


@dataclass(frozen=True)
class Backup:
    """One backup. path: its folder."""

    kind: Kind
    guest: str
    time: str
    path: Path


def name_of(instant: datetime) -> str:
    """The name of a backup that was begun then; instant: in UTC."""
    return instant.strftime(TIME)


def folder_of(place: Path, kind: Kind, guest: str) -> Path:
    """Where a place has the backups of a guest."""
    return place / kind / guest


def backups_in(place: Path) -> tuple[Backup, ...]:
    """Every complete backup, by guest, oldest first."""
    return tuple(
        Backup(kind, path.parent.name, path.name, path)
        for kind in KINDS
        for path in sorted((place / kind).glob("*/*"))
        if COMPLETE.fullmatch(path.name)
    )


def choose(backups: Sequence[Backup], guest: str, time: str | None) -> Backup:
    """The backup of the guest from that time, or its newest. Raises SlipwayError."""
    own = [backup for backup in backups if backup.guest == guest]
    fitting = [backup for backup in own if time in (None, backup.time)]
    if not fitting:
        times = ", ".join(backup.time for backup in own)
        raise SlipwayError(
            f"there is no backup of {guest}" + (f" from {time}" if time else ""),
            hint=f"there are: {times or 'none'}",
        )
    if len({backup.kind for backup in fitting}) > 1:
        raise SlipwayError(
            f"both a virtual machine and a container are called {guest}",
            hint="rename the folder of one of them below vm/ or container/",
        )
    return fitting[-1]


def outdated(backups: Sequence[Backup], kind: Kind, guest: str, keep: int) -> tuple[Backup, ...]:
    """Those of a guest that are older than the newest `keep`."""
    own = sorted((b.time, b) for b in backups if (b.kind, b.guest) == (kind, guest))
    return tuple(backup for _, backup in own[: max(len(own) - keep, 0)])


def check_guest(name: str) -> str:
    """The name. Raises SlipwayError unless it can be a folder's."""
    if not GUEST.fullmatch(name):
        raise SlipwayError(
            f"a guest called {name!r} cannot be backed up",
            hint="rename it: letters, digits, _, ., + and -",
        )
    return name
