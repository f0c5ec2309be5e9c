"""Deciding how one disk takes another's place: pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.boot.partition import partition_device
from agent.core.errors import SlipwayError
from agent.disk.model import (
    Action,
    Disk,
    DiskSet,
    MakeBootable,
    MakeEsp,
    Member,
    RecordEsps,
    ReplaceMember,
    Slot,
    WriteTable,
)

ESP_TYPE = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
# Behind the last partition: 32 sectors of GPT's second table (fewer of 4096 bytes) and its header.
BACKUP_SECTORS = 33
MISSING = "missing"


def find_place(old: str, new: str, sets: Sequence[DiskSet]) -> tuple[DiskSet, Member]:
    """The set and the place in it that `old` means.

    old: a whole disk, the word "missing", or a part of the name that a missing disk had.
    Raises SlipwayError when that is no place, or more than one, or not the one that failed.
    """
    gone = [(group, member) for group in sets for member in group.members if not member.disk]
    there = [(group, m) for group in sets for m in group.members if m.disk and m.disk == old]
    if there:
        _check_nothing_is_worse(there[0], gone)
        return there[0]
    if old in (MISSING, new):
        matches = gone
    else:
        matches = [place for place in gone if old in place[1].path]
    if not matches:
        raise SlipwayError(
            (
                "is not a disk of any pool, mirror or btrfs of this node"
                if old != MISSING
                else "no disk is missing"
            ),
            where=old,
            hint=_describe(sets),
        )
    if len({group.name for group, _ in matches}) > 1 or _are_named(matches):
        raise SlipwayError(
            "more than one disk is missing; name one of them",
            where=old,
            hint=", ".join(member.path or group.name for group, member in matches),
        )
    return matches[0]


def _are_named(places: Sequence[tuple[DiskSet, Member]]) -> bool:
    """Whether there are several, and each has a name of its own to tell it by."""
    return len(places) > 1 and all(member.path for _, member in places)


def _check_nothing_is_worse(
    place: tuple[DiskSet, Member], gone: Sequence[tuple[DiskSet, Member]]
) -> None:
    group, member = place
    if member.good and any(other is group for other, _ in gone):
        raise SlipwayError(
            f"the disk works, and another of {group.name} is missing",
            where=member.disk,
            hint=f"replace that one first: slipway disk replace {MISSING} NEW",
        )


def _describe(sets: Sequence[DiskSet]) -> str:
    return "; ".join(
        f"{group.name}: {', '.join(m.disk or m.path or MISSING for m in group.members)}"
        for group in sets
    )


def peer_of(group: DiskSet, member: Member) -> str:
    """The disk whose partitions the new one gets. Raises SlipwayError when none is left."""
    others = [other.disk for other in group.members if other.disk and other is not member]
    peers = [*others, *([member.disk] if member.disk else [])]
    if not peers:
        raise SlipwayError("no disk is left to copy the partitions of", where=group.name)
    return peers[0]


def check_new(new: Disk, peer: Disk, slots: Sequence[Slot], *, wipe: bool) -> None:
    """Raise SlipwayError unless the new disk may be written to, and is large enough."""
    if new.used_by:
        raise SlipwayError(f"the disk is in use: {', '.join(new.used_by)}", where=new.path)
    if new.contents and not wipe:
        raise SlipwayError(
            f"the disk carries data: {', '.join(new.contents)}",
            where=new.path,
            hint="To give it up, add --wipe.",
        )
    if new.sector_bytes != peer.sector_bytes:
        raise SlipwayError(
            f"the disk has sectors of {new.sector_bytes} bytes, {peer.path} of {peer.sector_bytes}",
            where=new.path,
        )
    needed = max(slot.start + slot.size for slot in slots) + BACKUP_SECTORS
    if new.sectors < needed:
        raise SlipwayError(
            f"the disk has {new.sectors} sectors, {needed} are needed",
            where=new.path,
            hint=f"It must hold the partitions that {peer.path} has.",
        )


def plan_replace(
    place: tuple[DiskSet, Member],
    new: Disk,
    slots: Sequence[Slot],
    esps: tuple[str, ...],
    old_esp: str,
    new_esp: str,
) -> tuple[Action, ...]:
    """The actions, in order; the node can start from the new disk before its data is complete.

    slots: the peer's partitions; the last is the one for data. esps: the UUIDs that the node's
    configuration has; old_esp: the one that goes, or nothing; new_esp: the new one's UUID.
    """
    return (
        WriteTable(new.path, tuple(slots), new.partitions, new.sector_bytes),
        *_make_bootable(new, slots, esps, old_esp, new_esp),
        ReplaceMember(*place, partition_device(new.path, slots[-1].number)),
    )


def _make_bootable(
    new: Disk, slots: Sequence[Slot], esps: tuple[str, ...], old_esp: str, new_esp: str
) -> Iterator[Action]:
    esp = next((slot for slot in slots if slot.type == ESP_TYPE), None)
    if esp is None:
        return
    yield MakeEsp(partition_device(new.path, esp.number), new_esp, new.sector_bytes)
    # An earlier try that was interrupted may have recorded the new disk already.
    kept = (uuid for uuid in esps if uuid not in (old_esp, new.esp))
    yield RecordEsps((*kept, new_esp))
    yield MakeBootable(new_esp)
