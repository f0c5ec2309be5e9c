"""Whether one disk is the one that an answer means: names, udev filters, conditions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Literal

from installer.answers.disks import DiskMatch
from installer.inventory.model import Disk, NetworkInterface

COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


def is_named(disk: Disk, entry: str) -> bool:
    """Whether an entry of disk-list means this disk, by a kernel name or a stable one."""
    by_name = entry in (disk.name, disk.path, *disk.links) or disk.path == f"/dev/{entry}"
    return by_name or is_stable_name(disk, entry)


def is_stable_name(disk: Disk, entry: str) -> bool:
    """Whether the entry names the disk by what it is: a by-id link, serial number or WWN.

    Kernel names and by-path links name a place, where another disk may be tomorrow.
    """
    by_id = [link for link in disk.links if link.startswith("/dev/disk/by-id/")]
    names = {*by_id, *(link.rpartition("/")[2] for link in by_id), disk.serial, disk.wwn}
    names |= {disk.udev.get(key, "") for key in ("ID_SERIAL", "ID_WWN")}
    return entry in names - {""}


def matches_filter(
    device: Disk | NetworkInterface, filter: Mapping[str, str], mode: Literal["any", "all"]
) -> bool:
    """Whether the device's udev properties match any or all globs.

    A property that the device does not have never matches.
    """
    udev = device.udev
    found = (name in udev and fnmatchcase(udev[name], glob) for name, glob in filter.items())
    return any(found) if mode == "any" else all(found)


def matches(disk: Disk, conditions: DiskMatch) -> bool:
    """Whether all conditions that are given hold for the disk."""
    return all(
        (
            _one_of([disk.name, disk.path, *disk.links], conditions.name),
            _one_of([disk.serial], conditions.serial),
            _one_of([disk.wwn], conditions.wwn),
            _one_of([disk.model], conditions.model),
            _one_of([disk.bus], conditions.bus),
            all(
                COMPARISONS[size.operator](disk.size_bytes, size.size_bytes)
                for size in conditions.size_conditions
            ),
            conditions.rotational in (None, disk.rotational),
            matches_filter(disk, conditions.udev or {}, "all"),
            conditions.any is None or any(matches(disk, inner) for inner in conditions.any),
            all(matches(disk, inner) for inner in conditions.all or ()),
            conditions.not_ is None or not matches(disk, conditions.not_),
        )
    )


def _one_of(values: Iterable[str], globs: tuple[str, ...] | None) -> bool:
    if globs is None:
        return True
    return any(fnmatchcase(value, glob) for value in values if value for glob in globs)
