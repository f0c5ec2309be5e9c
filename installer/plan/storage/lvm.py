"""The LVM layouts: root and swap as volumes and the rest a thin pool, or a pool alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from agent.config import LvmThin
from agent.core.errors import SlipwayError
from installer.answers.disks import LvmOptions
from installer.inventory.model import Disk
from installer.plan.model import Action
from installer.plan.storage.layout import FstabLine, Layout
from installer.plan.storage.lvm_sizes import EXTENT_KIB, GIB, LvmSizes, lvm_sizes, thin_pool_size
from installer.plan.storage.partitions import (
    data_partitions,
    limit_kib,
    partition_kib,
    system_partitions,
    system_size_kib,
)
from installer.plan.storage.raid import check_count, check_sizes
from installer.plan.storage_actions import (
    CreateLogicalVolume,
    CreateRaid,
    CreateThinPool,
    CreateVolumeGroup,
    MakeFilesystem,
    MakeSwap,
    Mount,
    Partition,
    PartitionType,
)

VOLUME_GROUP = "slipway"
ROOT = "root"
SWAP = "swap"
THIN_POOL = "data"
ROOT_DEVICE = f"/dev/mapper/{VOLUME_GROUP}-{ROOT}"
SWAP_DEVICE = f"/dev/mapper/{VOLUME_GROUP}-{SWAP}"
# The system with room for one upgrade and its logs.
MINIMUM_ROOT_GIB = 4
# What md keeps on each member for itself (see execute/storage/raid.py), with room for rounding.
RAID_OVERHEAD_KIB = 4 * 1024

RootFilesystem = Literal["ext4", "xfs"]
# Mount options and fsck's pass in fstab; xfs checks itself.
FSTAB_ROOT = {"ext4": ("errors=remount-ro", 1), "xfs": ("defaults", 0)}


def plan_lvm(
    disks: Sequence[Disk], filesystem: RootFilesystem, options: LvmOptions, memory_mib: int
) -> Layout:
    """The node on one disk, or on an md mirror of several.

    Raises SlipwayError when the disks or the root are too small, or the disks no mirror.
    """
    partition_type = _partition_type(options, disks, "disk-setup.lvm")
    limit = limit_kib(options.hdsize, disks)
    partitions = {disk.path: system_partitions(disk, partition_type, limit) for disk in disks}
    space_kib = min(system_size_kib(disk, limit) for disk in disks)
    if options.raid:
        space_kib -= RAID_OVERHEAD_KIB
    sizes = lvm_sizes(space_kib, memory_mib, options)
    _check_root(sizes)
    return Layout(
        partitions=partitions,
        create=(
            *_volume_group(VOLUME_GROUP, partitions, options),
            *_volumes(sizes),
            *_file_systems(sizes, filesystem),
        ),
        guests=LvmThin(volume_group=VOLUME_GROUP, thin_pool=THIN_POOL if sizes.pool else ""),
        summary=f"{_kind(options)} on {_names(disks)}: {_describe(sizes, filesystem)}",
        kernel_root=(f"root={ROOT_DEVICE}",),
        fstab=_fstab(sizes, filesystem),
    )


def plan_lvm_data(name: str, disks: Sequence[Disk], options: LvmOptions, where: str) -> Layout:
    """An extra thin pool in a volume group of its own, called name.

    Raises SlipwayError when the disks are no mirror or too small for a pool.
    """
    partition_type = _partition_type(options, disks, where)
    limit = limit_kib(options.hdsize, disks)
    partitions = {disk.path: data_partitions(disk, partition_type, limit) for disk in disks}
    space_kib = min(partition_kib(disk, partitions[disk.path][0]) for disk in disks)
    if options.raid:
        space_kib -= RAID_OVERHEAD_KIB
    # One extent for the physical volume's header and what does not fill an extent.
    pool = thin_pool_size((space_kib // EXTENT_KIB - 1) * EXTENT_KIB)
    if pool is None:
        raise SlipwayError(
            f"{space_kib / GIB:.1f} GiB are too small for a thin pool",
            where=where,
            hint="It needs more than 4 GiB.",
        )
    thin_pool = CreateThinPool(
        group=name, name=THIN_POOL, size_kib=pool.data_kib, metadata_kib=pool.metadata_kib
    )
    return Layout(
        partitions=partitions,
        create=(*_volume_group(name, partitions, options), thin_pool),
        guests=LvmThin(volume_group=name, thin_pool=THIN_POOL),
        summary=f"pool {name}: {_kind(options)} on {_names(disks)}, "
        f"guests {pool.data_kib / GIB:.1f} GiB",
    )


def _partition_type(options: LvmOptions, disks: Sequence[Disk], where: str) -> PartitionType:
    if options.raid is None:
        return "lvm"
    check_count(options.raid, disks, where)
    check_sizes(disks, where)
    return "raid"


def _volume_group(
    name: str, partitions: Mapping[str, tuple[Partition, ...]], options: LvmOptions
) -> list[Action]:
    members = tuple(table[-1].device for table in partitions.values())
    if options.raid is None:
        return [CreateVolumeGroup(name=name, devices=members)]
    array = CreateRaid(device=f"/dev/md/{name}", name=name, level=options.raid, members=members)
    return [array, CreateVolumeGroup(name=name, devices=(array.device,))]


def _check_root(sizes: LvmSizes) -> None:
    if sizes.root_kib < MINIMUM_ROOT_GIB * GIB:
        raise SlipwayError(
            f"{max(sizes.root_kib, 0) / GIB:.1f} GiB are left for the root file system, "
            f"it needs {MINIMUM_ROOT_GIB}",
            where="disk-setup.lvm",
            hint="Lower swapsize, or raise hdsize or maxroot.",
        )


def _volumes(sizes: LvmSizes) -> list[Action]:
    volumes: list[Action] = []
    if sizes.swap_kib:
        volumes.append(CreateLogicalVolume(group=VOLUME_GROUP, name=SWAP, size_kib=sizes.swap_kib))
    volumes.append(CreateLogicalVolume(group=VOLUME_GROUP, name=ROOT, size_kib=sizes.root_kib))
    if sizes.pool:
        pool = CreateThinPool(
            group=VOLUME_GROUP,
            name=THIN_POOL,
            size_kib=sizes.pool.data_kib,
            metadata_kib=sizes.pool.metadata_kib,
        )
        volumes.append(pool)
    return volumes


def _file_systems(sizes: LvmSizes, filesystem: RootFilesystem) -> list[Action]:
    actions: list[Action] = [MakeFilesystem(filesystem=filesystem, devices=(ROOT_DEVICE,))]
    if sizes.swap_kib:
        actions.append(MakeSwap(device=SWAP_DEVICE))
    actions.append(Mount(device=ROOT_DEVICE, path="/", filesystem=filesystem))
    return actions


def _fstab(sizes: LvmSizes, filesystem: RootFilesystem) -> tuple[FstabLine, ...]:
    options, fsck_pass = FSTAB_ROOT[filesystem]
    root = (ROOT_DEVICE, "/", filesystem, options, 0, fsck_pass)
    swap = (SWAP_DEVICE, "none", "swap", "sw", 0, 0)
    return (root, swap) if sizes.swap_kib else (root,)


def _describe(sizes: LvmSizes, filesystem: RootFilesystem) -> str:
    swap = f"swap {sizes.swap_kib / GIB:.1f} GiB" if sizes.swap_kib else "no swap"
    pool = f"guests {sizes.pool.data_kib / GIB:.1f} GiB" if sizes.pool else "no pool for guests"
    return f"root {sizes.root_kib / GIB:.1f} GiB ({filesystem}), {swap}, {pool}"


def _kind(options: LvmOptions) -> str:
    return "LVM on md RAID1" if options.raid else "LVM"


def _names(disks: Sequence[Disk]) -> str:
    return ", ".join(disk.path for disk in disks)
