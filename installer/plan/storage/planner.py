"""The whole storage plan, put together from the chosen disks and one layout for each purpose."""

from __future__ import annotations

from collections.abc import Iterator

from agent.boot.partition import esp_options
from agent.config import Zfs
from agent.core.errors import SlipwayError
from installer.answers.disks import DataPool, DiskSetup, LvmOptions
from installer.inventory.model import Disk, Inventory
from installer.plan.disks import Choice, choose_disks, name_order
from installer.plan.model import Action, PlannedDisk, StoragePlan
from installer.plan.storage import lvm, zfs
from installer.plan.storage.btrfs import plan_btrfs, plan_btrfs_data
from installer.plan.storage.layout import Layout, fat_id
from installer.plan.storage.old_contents import check_whole, find_sets, retire
from installer.plan.storage.zfs_memory import arc_max_bytes
from installer.plan.storage_actions import MakeFilesystem, PartitionDisk, WipeDisk

# libvirt's pool for images and ISOs, on every node.
LIBVIRT_POOL = "local"


def plan_storage(setup: DiskSetup, wipe: str, inventory: Inventory) -> StoragePlan:
    """Plan the node's disks.

    wipe: the answer's top-level key, "none" or "selected".
    Raises SlipwayError when the disks cannot be chosen or the layout does not fit them.
    """
    choice = choose_disks(setup, wipe, inventory)
    system = _plan_system(setup, choice.system, inventory.memory_mib)
    pools = {pool.name: _plan_pool(pool, choice.data[pool.name]) for pool in setup.data}
    layouts = (system, *pools.values())
    esps = tuple(_esp(disk, system) for disk in choice.system)
    return StoragePlan(
        disks=_planned_disks(choice, system, layouts, inventory),
        prepare=tuple(_prepare(choice, layouts, inventory)),
        finish=tuple(action for layout in layouts for action in layout.finish),
        kernel_root=(*system.kernel_root, *_host_id(choice, layouts)),
        fstab=tuple(line for layout in layouts for line in layout.fstab),
        esps=esps,
        guests=system.guests,
        data_pools={name: layout.guests for name, layout in pools.items()},
        zfs_arc_max_bytes=arc_max_bytes(inventory.memory_mib, _asked_arc_max(setup)),
        summary="\n".join(layout.summary for layout in layouts),
    )


def _plan_system(setup: DiskSetup, disks: tuple[Disk, ...], memory_mib: int) -> Layout:
    if setup.zfs:
        return zfs.plan_zfs(disks, setup.zfs)
    if setup.btrfs:
        return plan_btrfs(disks, setup.btrfs)
    filesystem: lvm.RootFilesystem = "xfs" if setup.filesystem == "xfs" else "ext4"
    return lvm.plan_lvm(disks, filesystem, setup.lvm or LvmOptions(), memory_mib)


def _plan_pool(pool: DataPool, disks: tuple[Disk, ...]) -> Layout:
    where = f"disk-setup.data.{pool.name}"
    if pool.name in (lvm.VOLUME_GROUP, zfs.POOL, LIBVIRT_POOL):
        raise SlipwayError(f"{pool.name} is the name of the node's own pool", where=where)
    if pool.zfs:
        return zfs.plan_zfs_data(pool.name, disks, pool.zfs, where)
    if pool.btrfs:
        return plan_btrfs_data(pool.name, disks, pool.btrfs, where)
    return lvm.plan_lvm_data(pool.name, disks, pool.lvm or LvmOptions(), where)


def _host_id(choice: Choice, layouts: tuple[Layout, ...]) -> Iterator[str]:
    if any(isinstance(layout.guests, Zfs) for layout in layouts):
        yield zfs.host_id_parameter(choice.system)


def _asked_arc_max(setup: DiskSetup) -> int | None:
    tables = [table.zfs for table in (setup, *setup.data) if table.zfs]
    return next((table.arc_max for table in tables if table.arc_max is not None), None)


def _prepare(choice: Choice, layouts: tuple[Layout, ...], inventory: Inventory) -> Iterator[Action]:
    """All actions up to the mounted target. What may fail on other disks comes first."""
    disks = [*choice.system, *(disk for pool in choice.data.values() for disk in pool)]
    paths = {disk.path for disk in disks}
    create = [action for layout in layouts for action in layout.create]
    sets = find_sets(inventory)
    check_whole(sets, paths)
    yield from retire(sets, paths, create)
    yield from (_wipe(disk) for disk in disks)
    for layout in layouts:
        for device, partitions in layout.partitions.items():
            yield PartitionDisk(device=device, partitions=partitions)
    yield from (_make_esp(disk, layouts[0]) for disk in choice.system)
    yield from create


def _esp(disk: Disk, layout: Layout) -> tuple[str, str, str]:
    device = next(part.device for part in layout.partitions[disk.path] if part.type == "esp")
    return disk.path, device, fat_id(disk)


def _make_esp(disk: Disk, layout: Layout) -> Action:
    _, device, volume_id = _esp(disk, layout)
    return MakeFilesystem(
        filesystem="vfat",
        devices=(device,),
        uuid=volume_id,
        options=esp_options(disk.logical_sector_bytes),
    )


def _wipe(disk: Disk) -> WipeDisk:
    return WipeDisk(
        device=disk.path,
        serial=disk.serial,
        size_bytes=disk.size_bytes,
        partitions=disk.partitions,
    )


def _planned_disks(
    choice: Choice, system: Layout, layouts: tuple[Layout, ...], inventory: Inventory
) -> tuple[PlannedDisk, ...]:
    tables = {device: table for layout in layouts for device, table in layout.partitions.items()}
    return tuple(
        PlannedDisk(
            path=disk.path,
            size_bytes=disk.size_bytes,
            logical_sector_bytes=disk.logical_sector_bytes,
            model=disk.model,
            serial=disk.serial,
            wwn=disk.wwn,
            contents=disk.contents,
            use=(
                "system"
                if disk.path in system.partitions
                else "data" if disk.path in tables else "untouched"
            ),
            reason=choice.reasons[disk.path],
            partitions=tables.get(disk.path, ()),
        )
        for disk in sorted(inventory.disks, key=name_order)
    )
