"""What has to be done to find and to mount installed systems. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from installer.inventory.model import Inventory, Model

# File systems that a root can be on, beside ZFS.
ROOTS = ("ext4", "ext3", "xfs", "btrfs")
# Where a root file system begins, by subvolume: ours and Debian's, openSUSE's, Fedora's, none.
SUBVOLUMES = ("@", "@rootfs", "@/.snapshots/1/snapshot", "root", "")
# The kernel's file systems that a shell in an installed system expects.
SYSTEM_FOLDERS = ("dev", "proc", "sys", "run")


class AssembleArrays(Model):
    """Start every md array that is whole enough."""

    kind: Literal["assemble-arrays"] = "assemble-arrays"


class ActivateVolumes(Model):
    """Make the logical volumes of every volume group usable."""

    kind: Literal["activate-volumes"] = "activate-volumes"


class ImportPool(Model):
    """Import a ZFS pool without mounting anything of it. device: one that is part of it."""

    kind: Literal["import-pool"] = "import-pool"
    name: str
    device: str


class MountRoot(Model):
    """Mount a root file system. filesystem: "zfs" for a dataset, which device then names."""

    kind: Literal["mount-root"] = "mount-root"
    device: str
    filesystem: str
    options: tuple[str, ...] = ()


class MountRest(Model):
    """Mount what the root's fstab says, and its pool's other datasets."""

    kind: Literal["mount-rest"] = "mount-rest"
    pool: str = ""


class BindFolder(Model):
    """Show one of the live system's folders in the installed system."""

    kind: Literal["bind-folder"] = "bind-folder"
    folder: str


Action = AssembleArrays | ActivateVolumes | ImportPool | MountRoot | MountRest | BindFolder


@dataclass(frozen=True)
class Candidate:
    """Something that may be a root file system. storage: what it is on, for people."""

    device: str
    filesystem: str
    storage: str
    options: tuple[str, ...] = ()


def plan_search(inventory: Inventory) -> Iterator[Action]:
    """What makes everything on the disks visible, without changing any of it."""
    kinds = {content.kind for disk in inventory.disks for content in disk.contents}
    if "linux_raid_member" in kinds:
        yield AssembleArrays()
    if "LVM2_member" in kinds or "linux_raid_member" in kinds:
        yield ActivateVolumes()
    pools = {
        content.label: content.device
        for disk in inventory.disks
        for content in disk.contents
        if content.kind == "zfs_member" and content.label
    }
    for name, device in sorted(pools.items()):
        yield ImportPool(name=name, device=device)


def candidates(
    lsblk: Sequence[Mapping[str, Any]], datasets: Sequence[tuple[str, str]], altroot: str
) -> Iterator[Candidate]:
    """What may be a root file system.

    lsblk: its rows with path, type, fstype and mountpoints; datasets: name and mount point, as
    they are with this altroot.
    """
    seen = set()
    for row in lsblk:
        if row["path"] in seen or row["fstype"] not in ROOTS or any(row["mountpoints"] or ()):
            continue
        seen.add(row["path"])
        storage = f"{row['fstype']}, {row['type']}"
        for subvolume in SUBVOLUMES if row["fstype"] == "btrfs" else ("",):
            options = (f"subvol={subvolume}",) if subvolume else ()
            yield Candidate(row["path"], row["fstype"], storage, options)
    for name, place in datasets:
        if place == altroot:
            yield Candidate(name, "zfs", "zfs")


def plan_mount(candidate: Candidate) -> Iterator[Action]:
    """What mounts an installed system with all that belongs to it."""
    yield _root(candidate)
    pool = candidate.device.partition("/")[0] if candidate.filesystem == "zfs" else ""
    yield MountRest(pool=pool)
    for folder in SYSTEM_FOLDERS:
        yield BindFolder(folder=folder)


def plan_look(candidate: Candidate) -> MountRoot:
    """The root alone, read-only."""
    root = _root(candidate)
    return root.model_copy(update={"options": (*root.options, "ro")})


def _root(candidate: Candidate) -> MountRoot:
    return MountRoot(
        device=candidate.device, filesystem=candidate.filesystem, options=candidate.options
    )
