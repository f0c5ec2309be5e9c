"""The disk layouts that the laboratory installs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Layout:
    """disks: the names of the virtio disks of the root; disk_setup: the answer's table, without
    the choice of these; data: the disks of extra pools.
    """

    disks: tuple[str, ...]
    disk_setup: dict[str, Any]
    data: tuple[str, ...] = ()

    @property
    def pools(self) -> list[dict[str, Any]]:
        """The tables of the extra pools."""
        return list(self.disk_setup.get("data", ()))


# As many disks as any layout takes.
NAMES = ("vda", "vdb", "vdc", "vdd", "vde")


def _names(count: int) -> tuple[str, ...]:
    return NAMES[:count]


def _zfs(raid: str, count: int) -> Layout:
    return Layout(_names(count), {"filesystem": "zfs", "zfs": {"raid": raid}})


def _btrfs(raid: str, count: int) -> Layout:
    return Layout(_names(count), {"filesystem": "btrfs", "btrfs": {"raid": raid}})


EXTRA = [
    {"name": "tank", "layout": "zfs", "disk-list": ["vdb"], "zfs": {"raid": "raid0"}},
    {"name": "fast", "layout": "lvm-thin", "disk-list": ["vdc"]},
    {"name": "bulk", "layout": "btrfs", "disk-list": ["vdd"], "btrfs": {"raid": "raid0"}},
]
# Each level with the smallest number of disks that it takes. md copies all of a mirror, used or
# not, so that one is kept small.
LAYOUTS = {
    "lvm-ext4": Layout(_names(1), {"filesystem": "ext4"}),
    "lvm-xfs": Layout(_names(1), {"filesystem": "xfs"}),
    "md-raid1": Layout(_names(2), {"filesystem": "ext4", "lvm": {"raid": "raid1", "hdsize": 16}}),
    "zfs-raid0": _zfs("raid0", 1),
    "zfs-raid1": _zfs("raid1", 2),
    "zfs-raid10": _zfs("raid10", 4),
    "zfs-raidz1": _zfs("raidz-1", 3),
    "zfs-raidz2": _zfs("raidz-2", 4),
    "zfs-raidz3": _zfs("raidz-3", 5),
    "btrfs-raid0": _btrfs("raid0", 1),
    "btrfs-raid1": _btrfs("raid1", 2),
    "btrfs-raid10": _btrfs("raid10", 4),
    "data-pools": Layout(_names(1), {"filesystem": "ext4", "data": EXTRA}, ("vdb", "vdc", "vdd")),
}
# As many home clusters are: guests on a pool of ZFS that every node has.
HOME = Layout(_names(1), {"filesystem": "ext4", "data": EXTRA[:1]}, ("vdb",))
# Those that may lose a disk.
REDUNDANT = tuple(name for name in LAYOUTS if "raid" in name and not name.endswith("raid0"))
