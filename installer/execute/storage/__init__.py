"""Executors of the storage actions: each carries out one planned action with one or two tools.

They touch only the devices that their action names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from installer.execute.storage import filesystems, lvm, partition, raid, wipe, zfs
from installer.inventory.model import Model
from installer.plan import storage_actions as actions

# What carries out each kind of action; it is called with the action and the target's root.
EXECUTORS: Mapping[type[Model], Callable[[Any, Path], None]] = {
    actions.WipeDisk: wipe.wipe_disk,
    actions.PartitionDisk: partition.partition_disk,
    actions.RetireVolumeGroup: lvm.retire_volume_group,
    actions.RetireZpool: zfs.retire_zpool,
    actions.CreateRaid: raid.create_raid,
    actions.CreateVolumeGroup: lvm.create_volume_group,
    actions.CreateLogicalVolume: lvm.create_logical_volume,
    actions.CreateThinPool: lvm.create_thin_pool,
    actions.CreateZpool: zfs.create_zpool,
    actions.CreateDataset: zfs.create_dataset,
    actions.SetZpoolProperty: zfs.set_zpool_property,
    actions.ExportZpool: zfs.export_zpool,
    actions.MakeFilesystem: filesystems.make_filesystem,
    actions.MakeSwap: filesystems.make_swap,
    actions.CreateSubvolume: filesystems.create_subvolume,
    actions.Mount: filesystems.mount,
}
