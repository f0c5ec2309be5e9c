"""Which redundant sets the node's disks make, as ZFS, md and btrfs themselves tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.core.command import run
from agent.core.errors import ToolMissing
from agent.disk.model import DiskSet, Member

# "devid    2 size 0 used 0 path <missing disk> MISSING"
BTRFS_DEVICE = re.compile(r"^\s*devid\s+(\d+) size \d+ used \d+ path (.*)$", re.MULTILINE)
# From best to least: what the file system was made with comes before what a loss left behind.
BTRFS_PROFILES = ("raid1c4", "raid1c3", "raid10", "raid1", "raid0", "dup", "single")
# ZFS has one word for a person and another for a program.
ZFS_GONE = ("UNAVAIL", "CANT_OPEN", "REMOVED")

Parents = Mapping[str, str]


def find_sets() -> tuple[DiskSet, ...]:
    """Every ZFS pool, md array and btrfs of the node."""
    parents = disk_of_partitions()
    return (*zfs_sets(parents), *md_sets(parents), *btrfs_sets(parents))


def degraded(sets: tuple[DiskSet, ...]) -> tuple[str, ...]:
    """One line for each set that is not complete."""
    return tuple(
        f"{group.kind} {group.name} is degraded ({len(bad)} of {len(group.members)} disks)"
        for group in sets
        if (bad := [member for member in group.members if not member.good])
    )


def disk_of_partitions() -> Parents:
    """The whole disk of each partition, and of each disk itself."""
    columns = ["--json", "--list", "--paths", "--output", "NAME,PKNAME,TYPE"]
    rows = json.loads(run(["lsblk", *columns]).stdout)["blockdevices"]
    return {
        row["name"]: row["pkname"] if row["type"] == "part" else row["name"]
        for row in rows
        if row["type"] in ("part", "disk")
    }


def zfs_sets(parents: Parents) -> Iterator[DiskSet]:
    """The imported pools."""
    try:
        answer = run(["zpool", "status", "-j", "-P"], check=False)
    except ToolMissing:
        return
    pools = json.loads(answer.stdout or "{}").get("pools", {})
    for name, pool in pools.items():
        members = tuple(_zfs_member(leaf, parents) for leaf in _leaves(pool["vdevs"]))
        yield DiskSet("zfs", name, members)


def _leaves(vdevs: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for vdev in vdevs.values():
        if "vdevs" in vdev:
            yield from _leaves(vdev["vdevs"])
        else:
            yield vdev


def _zfs_member(vdev: Mapping[str, Any], parents: Parents) -> Member:
    path = vdev.get("path", vdev["name"])
    good = vdev["state"] == "ONLINE"
    # The name of a disk that is gone may meanwhile be another's.
    gone = "not_present" in vdev or vdev["state"] in ZFS_GONE
    disk = "" if gone else parents.get(str(Path(path).resolve()), "")
    return Member(str(vdev["guid"]), path, disk, good)


def md_sets(parents: Parents, block: Path = Path("/sys/block")) -> Iterator[DiskSet]:
    """The running md arrays that have copies."""
    for folder in sorted(block.glob("md*/md")):
        count = int((folder / "raid_disks").read_text().split()[0])
        states = {
            f"/dev/{member.name.removeprefix('dev-')}": (member / "state").read_text().strip()
            for member in sorted(folder.glob("dev-*"))
        }
        members = [
            Member(path, path, parents.get(path, ""), "in_sync" in state.split(","))
            for path, state in states.items()
        ]
        members += [Member("", "", "", False)] * (count - len(members))
        yield DiskSet("md", f"/dev/{folder.parent.name}", tuple(members))


def btrfs_sets(parents: Parents, sys: Path = Path("/sys/fs/btrfs")) -> Iterator[DiskSet]:
    """The mounted btrfs, each once."""
    columns = ["--json", "--list", "--types", "btrfs", "--output", "TARGET,UUID"]
    mounts = json.loads(run(["findmnt", *columns], check=False).stdout or "{}")
    places: dict[str, str] = {}
    for mount in mounts.get("filesystems", ()):
        places.setdefault(mount["uuid"], mount["target"])
    for uuid, place in places.items():
        shown = run(["btrfs", "filesystem", "show", "--raw", place]).stdout
        profile = btrfs_profile({p.name for p in (sys / uuid / "allocation/data").glob("*/")})
        yield DiskSet("btrfs", place, btrfs_members(shown, parents), profile)


def btrfs_members(shown: str, parents: Parents) -> tuple[Member, ...]:
    """The members that `btrfs filesystem show` lists."""
    members = []
    for key, path in BTRFS_DEVICE.findall(shown):
        gone = path.endswith("MISSING")
        known = "" if gone else path
        members.append(Member(key, known, parents.get(known, ""), not gone))
    return tuple(members)


def btrfs_profile(names: set[str]) -> str:
    """How data is meant to be spread, of the profiles that it has."""
    return next((name for name in BTRFS_PROFILES if name in names), "")
