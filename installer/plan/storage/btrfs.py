"""The btrfs layouts: the node in a subvolume over all its disks, or an extra pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.config import Directory
from installer.answers.disks import BtrfsOptions
from installer.inventory.model import Disk
from installer.plan.model import Unmount
from installer.plan.storage.layout import Layout, derived_uuid
from installer.plan.storage.partitions import data_partitions, limit_kib, system_partitions
from installer.plan.storage.raid import check_count
from installer.plan.storage_actions import (
    CreateSubvolume,
    MakeFilesystem,
    Mount,
    Partition,
)

ROOT_SUBVOLUME = "@"
GUESTS = "/var/lib/slipway/guests"
POOLS = "/var/lib/slipway/pools"


def plan_btrfs(disks: Sequence[Disk], options: BtrfsOptions) -> Layout:
    """The node in the subvolume "@". Raises SlipwayError when there are too few disks."""
    check_count(options.raid, disks, "disk-setup.btrfs")
    limit = limit_kib(options.hdsize, disks)
    partitions = {disk.path: system_partitions(disk, "linux", limit) for disk in disks}
    uuid = derived_uuid(disks, "root")
    device = partitions[disks[0].path][-1].device
    mount_options = (f"subvol={ROOT_SUBVOLUME}", *_mount_options(options))
    return Layout(
        partitions=partitions,
        create=(
            _make(disks, partitions, options, uuid),
            Mount(device=device, path="/", filesystem="btrfs"),
            CreateSubvolume(path=f"/{ROOT_SUBVOLUME}"),
            Unmount(),
            Mount(device=device, path="/", filesystem="btrfs", options=mount_options),
            CreateSubvolume(path=GUESTS),
        ),
        guests=Directory(path=Path(GUESTS)),
        summary=f"btrfs {_describe(disks, options)}",
        kernel_root=(f"root=UUID={uuid}", f"rootflags={','.join(mount_options)}"),
        fstab=((f"UUID={uuid}", "/", "btrfs", ",".join(mount_options), 0, 0),),
    )


def plan_btrfs_data(name: str, disks: Sequence[Disk], options: BtrfsOptions, where: str) -> Layout:
    """An extra pool, a directory of its own. Raises SlipwayError when there are too few disks."""
    check_count(options.raid, disks, where)
    limit = limit_kib(options.hdsize, disks)
    partitions = {disk.path: data_partitions(disk, "linux", limit) for disk in disks}
    uuid = derived_uuid(disks, name)
    path = f"{POOLS}/{name}"
    # The node starts without an extra pool whose disks are gone.
    mount_options = ("nofail", *_mount_options(options))
    return Layout(
        partitions=partitions,
        create=(_make(disks, partitions, options, uuid),),
        guests=Directory(path=Path(path)),
        summary=f"pool {name}: btrfs {_describe(disks, options)}",
        fstab=((f"UUID={uuid}", path, "btrfs", ",".join(mount_options), 0, 0),),
    )


def _make(
    disks: Sequence[Disk],
    partitions: Mapping[str, tuple[Partition, ...]],
    options: BtrfsOptions,
    uuid: str,
) -> MakeFilesystem:
    # On one disk mkfs.btrfs keeps two copies of the metadata by itself.
    level = ("--data", options.raid, "--metadata", options.raid) if len(disks) > 1 else ()
    devices = tuple(partitions[disk.path][-1].device for disk in disks)
    return MakeFilesystem(filesystem="btrfs", devices=devices, uuid=uuid, options=level)


def _mount_options(options: BtrfsOptions) -> tuple[str, ...]:
    chosen = []
    if options.compress != "off":
        chosen.append("compress" if options.compress == "on" else f"compress={options.compress}")
    # Without it a file system that lost a disk is not mounted at all.
    if options.raid != "raid0":
        chosen.append("degraded")
    return tuple(chosen)


def _describe(disks: Sequence[Disk], options: BtrfsOptions) -> str:
    return f"{options.raid} on {', '.join(disk.path for disk in disks)}"
