"""The whole storage plan, put together from the chosen disks and one layout for each purpose."""

from __future__ import annotations

from typing import Literal

from installer.answers.disks import DiskSetup, LvmOptions
from installer.inventory.model import Disk, Inventory
from installer.plan.disks import choose_disks, name_order
from installer.plan.model import (
    Action,
    MakeFilesystem,
    Partition,
    PartitionDisk,
    PlannedDisk,
    StoragePlan,
    WipeDisk,
)
from installer.plan.storage.layout import Layout, fat_id
from installer.plan.storage.lvm import plan_lvm
from installer.plan.storage.zfs_memory import arc_max_bytes


def plan_storage(setup: DiskSetup, wipe: str, inventory: Inventory) -> StoragePlan:
    """Plan the node's disks.

    wipe: the answer's top-level key, "none" or "selected".
    Raises SlipwayError when the disks cannot be chosen or the layout does not fit them.
    """
    choice = choose_disks(setup, wipe, inventory)
    layout = _plan_system(setup, choice.system, inventory)
    esps = tuple(_esp(disk, layout) for disk in choice.system)
    return StoragePlan(
        disks=tuple(
            _planned_disk(disk, layout, choice.reasons[disk.path])
            for disk in sorted(inventory.disks, key=name_order)
        ),
        prepare=(
            *(_wipe(disk) for disk in choice.system),
            *(
                PartitionDisk(device=disk.path, partitions=layout.partitions[disk.path])
                for disk in choice.system
            ),
            *(_make_esp(disk, device, esp_id) for disk, device, esp_id in esps),
            *layout.create,
        ),
        finish=layout.finish,
        kernel_root=layout.kernel_root,
        fstab=layout.fstab,
        esps=tuple((disk.path, device, esp_id) for disk, device, esp_id in esps),
        guests=layout.guests,
        zfs_arc_max_bytes=arc_max_bytes(inventory.memory_mib, None),
        summary=layout.summary,
    )


def _plan_system(setup: DiskSetup, disks: tuple[Disk, ...], inventory: Inventory) -> Layout:
    if setup.filesystem == "zfs" or setup.filesystem == "btrfs":
        raise NotImplementedError(setup.filesystem)
    options = setup.lvm or LvmOptions()
    return plan_lvm(disks[0], setup.filesystem, options, inventory.memory_mib)


def _esp(disk: Disk, layout: Layout) -> tuple[Disk, str, str]:
    device = next(part.device for part in layout.partitions[disk.path] if part.type == "esp")
    return disk, device, fat_id(disk)


def _make_esp(disk: Disk, device: str, esp_id: str) -> Action:
    # FAT32 needs 65525 clusters: with sectors of 4096 bytes each must be one sector.
    clusters = ("-s", "1") if disk.logical_sector_bytes == 4096 else ()
    return MakeFilesystem(
        filesystem="vfat", devices=(device,), uuid=esp_id, options=("-F", "32", *clusters)
    )


def _wipe(disk: Disk) -> WipeDisk:
    return WipeDisk(
        device=disk.path,
        serial=disk.serial,
        size_bytes=disk.size_bytes,
        partitions=disk.partitions,
    )


def _planned_disk(disk: Disk, layout: Layout, reason: str) -> PlannedDisk:
    partitions: tuple[Partition, ...] = layout.partitions.get(disk.path, ())
    use: Literal["system", "untouched"] = "system" if partitions else "untouched"
    return PlannedDisk(
        path=disk.path,
        size_bytes=disk.size_bytes,
        logical_sector_bytes=disk.logical_sector_bytes,
        model=disk.model,
        serial=disk.serial,
        wwn=disk.wwn,
        contents=disk.contents,
        use=use,
        reason=reason,
        partitions=partitions,
    )
