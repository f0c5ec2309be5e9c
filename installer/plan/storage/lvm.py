"""The LVM layout: root and swap as volumes, the rest a thin pool for guests."""

from __future__ import annotations

from typing import Literal

from agent.config import LvmThin
from agent.core.errors import SlipwayError
from installer.answers.disks import LvmOptions
from installer.inventory.model import Disk
from installer.plan.model import (
    Action,
    CreateLogicalVolume,
    CreateThinPool,
    CreateVolumeGroup,
    MakeFilesystem,
    MakeSwap,
    Mount,
)
from installer.plan.storage.layout import Layout
from installer.plan.storage.lvm_sizes import GIB, LvmSizes, lvm_sizes
from installer.plan.storage.partitions import system_partitions, system_size_kib

VOLUME_GROUP = "slipway"
ROOT = "root"
SWAP = "swap"
THIN_POOL = "data"
ROOT_DEVICE = f"/dev/mapper/{VOLUME_GROUP}-{ROOT}"
SWAP_DEVICE = f"/dev/mapper/{VOLUME_GROUP}-{SWAP}"
# The system with room for one upgrade and its logs.
MINIMUM_ROOT_GIB = 4

RootFilesystem = Literal["ext4", "xfs"]
# Mount options and fsck's pass in fstab; xfs checks itself.
FSTAB_ROOT = {"ext4": ("errors=remount-ro", 1), "xfs": ("defaults", 0)}


def plan_lvm(
    disk: Disk, filesystem: RootFilesystem, options: LvmOptions, memory_mib: int
) -> Layout:
    """The node on one disk. Raises SlipwayError when the disk or the root is too small."""
    partitions = system_partitions(disk, "lvm", options.hdsize)
    sizes = lvm_sizes(system_size_kib(disk, options.hdsize), memory_mib, options)
    _check_root(sizes)
    return Layout(
        partitions={disk.path: partitions},
        create=(
            CreateVolumeGroup(name=VOLUME_GROUP, devices=(partitions[-1].device,)),
            *_volumes(sizes),
            *_file_systems(sizes, filesystem),
        ),
        guests=LvmThin(volume_group=VOLUME_GROUP, thin_pool=THIN_POOL if sizes.pool else ""),
        summary=f"LVM on {disk.path}: {_describe(sizes, filesystem)}",
        kernel_root=(f"root={ROOT_DEVICE}",),
        fstab=_fstab(sizes, filesystem),
    )


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


def _fstab(
    sizes: LvmSizes, filesystem: RootFilesystem
) -> tuple[tuple[str, str, str, str, int, int], ...]:
    options, fsck_pass = FSTAB_ROOT[filesystem]
    root = (ROOT_DEVICE, "/", filesystem, options, 0, fsck_pass)
    swap = (SWAP_DEVICE, "none", "swap", "sw", 0, 0)
    return (root, swap) if sizes.swap_kib else (root,)


def _describe(sizes: LvmSizes, filesystem: RootFilesystem) -> str:
    swap = f"swap {sizes.swap_kib / GIB:.1f} GiB" if sizes.swap_kib else "no swap"
    pool = f"guests {sizes.pool.data_kib / GIB:.1f} GiB" if sizes.pool else "no pool for guests"
    return f"root {sizes.root_kib / GIB:.1f} GiB ({filesystem}), {swap}, {pool}"
