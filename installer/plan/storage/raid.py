"""Which sets of disks make which level of redundancy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.core.errors import SlipwayError
from installer.answers.disks import MINIMUM_DISKS
from installer.inventory.model import Disk

# How much two disks of one mirror may differ, as a part of the first one's size.
SIZE_TOLERANCE = 10


def check_count(level: str, disks: Sequence[Disk], where: str) -> None:
    """Raise SlipwayError unless there are enough disks for the level."""
    needed = MINIMUM_DISKS[level]
    if len(disks) < needed:
        raise SlipwayError(
            f"{level} needs at least {needed} disks, and {len(disks)} "
            f"{'is' if len(disks) == 1 else 'are'} chosen",
            where=where,
            hint=", ".join(disk.path for disk in disks) or None,
        )


def check_even(disks: Sequence[Disk], where: str) -> None:
    """Raise SlipwayError unless the disks can be grouped in pairs."""
    if len(disks) % 2:
        raise SlipwayError(
            f"raid10 needs an even number of disks, and {len(disks)} are chosen",
            where=where,
            hint=", ".join(disk.path for disk in disks),
        )


def check_sizes(disks: Sequence[Disk], where: str) -> None:
    """Raise SlipwayError unless all disks are about as large as the first."""
    first = disks[0]
    for disk in disks[1:]:
        if abs(first.size_bytes - disk.size_bytes) * SIZE_TOLERANCE > first.size_bytes:
            raise SlipwayError(
                f"{first.path} and {disk.path} differ by more than {100 // SIZE_TOLERANCE} % "
                "in size",
                where=where,
                hint="Disks that mirror each other must be of about the same size.",
            )


def pairs(disks: Sequence[Disk]) -> Iterator[tuple[Disk, Disk]]:
    """The mirrors of a raid10, in the order of the disks."""
    return zip(disks[::2], disks[1::2], strict=True)
