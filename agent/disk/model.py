"""What is known about disks, and what replacing one does: plain data.

Each action, as a string, says what will be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["zfs", "md", "btrfs"]


@dataclass(frozen=True)
class Member:
    """One place in a set of disks.

    key: what the set's own tool calls it (ZFS: GUID, btrfs: device id, md: the device);
    path: its partition, or where it was last seen; disk: the whole disk, empty when it is gone;
    good: it holds all that it should.
    """

    key: str
    path: str
    disk: str
    good: bool


@dataclass(frozen=True)
class DiskSet:
    """A ZFS pool, an md array, or a btrfs file system on several disks.

    name: the pool's name, the array's device, or where the file system is mounted.
    profile: how btrfs spreads its data.
    """

    kind: Kind
    name: str
    members: tuple[Member, ...]
    profile: str = ""


@dataclass(frozen=True)
class Slot:
    """One partition of a table; start and size in sectors."""

    number: int
    start: int
    size: int
    type: str
    name: str


@dataclass(frozen=True)
class Disk:
    """A whole disk. sectors: how many, of sector_bytes each; contents: what was found on it, in
    words; used_by: what keeps it busy; esp: the UUID of its EFI system partition, if any.
    """

    path: str
    sectors: int
    sector_bytes: int
    partitions: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()
    esp: str = ""


@dataclass(frozen=True)
class WriteTable:
    """Write a GPT with these partitions to the disk, over all that is on it and on `old`, its
    partitions until now. sector_bytes: of what slots count.
    """

    disk: str
    slots: tuple[Slot, ...]
    old: tuple[str, ...]
    sector_bytes: int

    def __str__(self) -> str:
        return f"partition {self.disk}, {len(self.slots)} partitions"


@dataclass(frozen=True)
class MakeEsp:
    """Make the partition an empty EFI system partition. uuid: "1A2B-3C4D"."""

    partition: str
    uuid: str
    sector_bytes: int

    def __str__(self) -> str:
        return f"make {self.partition} an EFI system partition, {self.uuid}"


@dataclass(frozen=True)
class RecordEsps:
    """These are the node's EFI system partitions from now on."""

    uuids: tuple[str, ...]

    def __str__(self) -> str:
        return f"record the EFI system partitions: {', '.join(self.uuids)}"


@dataclass(frozen=True)
class MakeBootable:
    """Put kernel and boot loader on the new EFI system partition."""

    uuid: str

    def __str__(self) -> str:
        return f"put kernel and boot loader on {self.uuid}"


@dataclass(frozen=True)
class ReplaceMember:
    """The partition takes the member's place in the set, and gets all that belongs there."""

    set: DiskSet
    member: Member
    partition: str

    def __str__(self) -> str:
        return f"{self.partition} takes its place in {self.set.name}"


Action = WriteTable | MakeEsp | RecordEsps | MakeBootable | ReplaceMember
