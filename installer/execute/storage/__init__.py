"""Executors of the storage actions: each carries out one planned action with one or two tools.

They touch only the devices that their action names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from installer.execute.storage import filesystems, lvm, partition, raid, wipe, zfs
from installer.inventory.model import Model
from installer.plan import model

# What carries out each kind of action; it is called with the action and the target's root.
EXECUTORS: Mapping[type[Model], Callable[[Any, Path], None]] = {
    model.WipeDisk: wipe.wipe_disk,
    model.PartitionDisk: partition.partition_disk,
    model.RetireVolumeGroup: lvm.retire_volume_group,
    model.RetireZpool: zfs.retire_zpool,
    model.CreateRaid: raid.create_raid,
    model.CreateVolumeGroup: lvm.create_volume_group,
    model.CreateLogicalVolume: lvm.create_logical_volume,
    model.CreateThinPool: lvm.create_thin_pool,
    model.CreateZpool: zfs.create_zpool,
    model.CreateDataset: zfs.create_dataset,
    model.SetZpoolProperty: zfs.set_zpool_property,
    model.ExportZpool: zfs.export_zpool,
    model.MakeFilesystem: filesystems.make_filesystem,
    model.MakeSwap: filesystems.make_swap,
    model.CreateSubvolume: filesystems.create_subvolume,
    model.Mount: filesystems.mount,
}
