"""What earlier installations left: sets that reach beyond the chosen disks, names like ours.

An array, pool or volume group is only cleared as a whole. One on other disks that has a name
which the new node uses is renamed, or the node could start the wrong one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from agent.core.errors import SlipwayError
from installer.inventory.model import Disk, Inventory
from installer.plan.model import Action
from installer.plan.storage_actions import (
    CreateRaid,
    CreateVolumeGroup,
    CreateZpool,
    RetireVolumeGroup,
    RetireZpool,
)

# libblkid's names for members of a set whose UUID is that of the whole set.
MEMBER_KINDS = {"linux_raid_member": "array", "zfs_member": "ZFS pool", "btrfs": "btrfs"}
VOLUME_GROUP = "volume group"


@dataclass(frozen=True)
class OldSet:
    """A set of devices that belong together; disks: the paths of those that hold them."""

    kind: str
    name: str
    uuid: str
    disks: frozenset[str]


def find_sets(inventory: Inventory) -> tuple[OldSet, ...]:
    """All volume groups, arrays, pools and btrfs file systems of the machine."""
    names: dict[tuple[str, str], str] = {}
    members: dict[tuple[str, str], set[str]] = {}
    for disk in inventory.disks:
        for content in disk.contents:
            if content.kind in MEMBER_KINDS and content.uuid:
                key = (MEMBER_KINDS[content.kind], content.uuid)
                names[key] = content.label
                members.setdefault(key, set()).add(disk.path)
    for group in inventory.volume_groups:
        key = (VOLUME_GROUP, group.uuid)
        names[key] = group.name
        members[key] = set(_disks_with(group.devices, inventory.disks))
    return tuple(
        OldSet(kind, names[kind, uuid], uuid, frozenset(disks))
        for (kind, uuid), disks in sorted(members.items())
    )


def check_whole(sets: Collection[OldSet], chosen: Collection[str]) -> None:
    """Refuse to clear a part of a set. chosen: paths of disks. Raises SlipwayError."""
    for old in sets:
        left_out = old.disks.difference(chosen)
        if left_out and left_out != old.disks:
            taken = ", ".join(sorted(old.disks.intersection(chosen)))
            raise SlipwayError(
                f'the {old.kind} "{old.name}" lies on {taken}, and also on disks that are not '
                f"chosen: {', '.join(sorted(left_out))}",
                where=taken,
                hint="Choose all of its disks, or clear it by hand before the installation.",
            )


def retire(
    sets: Collection[OldSet], chosen: Collection[str], create: Collection[Action]
) -> Iterator[Action]:
    """Rename sets on disks that are not chosen, where `create` makes one with their name.

    Raises SlipwayError for an old array, which cannot be renamed while it is not running; nor can
    a volume group on it, which has the array's name when Slipway made it.
    """
    new = _new_names(create)
    for old in sets:
        if old.disks.intersection(chosen) or _plain_name(old) not in new.get(old.kind, ()):
            continue
        if old.kind == VOLUME_GROUP:
            yield RetireVolumeGroup(uuid=old.uuid, new_name=f"{old.name}-old-{old.uuid[:6]}")
        elif old.kind == "ZFS pool":
            yield RetireZpool(guid=old.uuid, new_name=f"{old.name}-old-{old.uuid[:6]}")
        else:
            raise SlipwayError(
                f'an old array "{old.name}" has the name that the new storage gets',
                where=", ".join(sorted(old.disks)),
                hint="Choose its disks too, clear them (wipefs --all) or disconnect them.",
            )


def _new_names(create: Collection[Action]) -> Mapping[str, set[str]]:
    groups = {item.name for item in create if isinstance(item, CreateVolumeGroup)}
    return {
        VOLUME_GROUP: groups,
        "ZFS pool": {item.name for item in create if isinstance(item, CreateZpool)},
        "array": groups | {item.name for item in create if isinstance(item, CreateRaid)},
    }


def _plain_name(old: OldSet) -> str:
    # md puts the name of the host that made the array before its name: "node1:slipway".
    return old.name.rpartition(":")[2] if old.kind == "array" else old.name


def _disks_with(devices: Collection[str], disks: Collection[Disk]) -> Iterator[str]:
    for disk in disks:
        holders = (f"/dev/{holder}" for holder in disk.holders)
        if not {disk.path, *disk.partitions, *holders}.isdisjoint(devices):
            yield disk.path
