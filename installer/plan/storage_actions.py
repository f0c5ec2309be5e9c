"""The planned actions that make a node's storage, from wiping disks to the mounted target."""

from __future__ import annotations

from typing import Literal

from installer.inventory.model import Model

# GPT partition types by the names that sfdisk and systemd use for them.
PartitionType = Literal["bios-boot", "esp", "lvm", "raid", "zfs", "linux"]


class Partition(Model):
    """One GPT partition; sectors are the disk's logical sectors, both ends inclusive."""

    number: int
    name: str
    type: PartitionType
    first_sector: int
    last_sector: int
    device: str


class WipeDisk(Model):
    """Clear every signature on the disk and its partitions, at both ends.

    serial and size_bytes are checked once more before the first byte is written: the device
    behind a kernel name may have changed since the plan was made.
    """

    kind: Literal["wipe-disk"] = "wipe-disk"
    device: str
    serial: str
    size_bytes: int
    partitions: tuple[str, ...] = ()


class PartitionDisk(Model):
    """Write a new GPT with these partitions."""

    kind: Literal["partition-disk"] = "partition-disk"
    device: str
    partitions: tuple[Partition, ...]


class RetireVolumeGroup(Model):
    """Rename an old volume group of ours that lives on a disk which is not ours to clear."""

    kind: Literal["retire-volume-group"] = "retire-volume-group"
    uuid: str
    new_name: str


class RetireZpool(Model):
    """Rename an old pool of ours that lives on disks which are not ours to clear."""

    kind: Literal["retire-zpool"] = "retire-zpool"
    guid: str
    new_name: str


class CreateRaid(Model):
    """Create an md array over these devices."""

    kind: Literal["create-raid"] = "create-raid"
    device: str
    name: str
    level: Literal["raid1"] = "raid1"
    members: tuple[str, ...]


class CreateVolumeGroup(Model):
    """Make the devices LVM physical volumes and join them to one volume group."""

    kind: Literal["create-volume-group"] = "create-volume-group"
    name: str
    devices: tuple[str, ...]


class CreateLogicalVolume(Model):
    kind: Literal["create-logical-volume"] = "create-logical-volume"
    group: str
    name: str
    size_kib: int


class CreateThinPool(Model):
    """size_kib is the pool's data, metadata_kib its metadata and, once more, LVM's spare."""

    kind: Literal["create-thin-pool"] = "create-thin-pool"
    group: str
    name: str
    size_kib: int
    metadata_kib: int


class CreateZpool(Model):
    """vdevs: zpool-create's words, ("mirror", "/dev/…-part3", …)."""

    kind: Literal["create-zpool"] = "create-zpool"
    name: str
    vdevs: tuple[str, ...]
    properties: dict[str, str]
    dataset_properties: dict[str, str]


class CreateDataset(Model):
    kind: Literal["create-dataset"] = "create-dataset"
    name: str
    properties: dict[str, str] = {}


class SetZpoolProperty(Model):
    kind: Literal["set-zpool-property"] = "set-zpool-property"
    pool: str
    name: str
    value: str


class ExportZpool(Model):
    kind: Literal["export-zpool"] = "export-zpool"
    pool: str


class MakeFilesystem(Model):
    """options: the arguments for mkfs besides the device, in order."""

    kind: Literal["make-filesystem"] = "make-filesystem"
    filesystem: Literal["ext4", "xfs", "vfat", "btrfs"]
    devices: tuple[str, ...]
    uuid: str = ""
    options: tuple[str, ...] = ()


class MakeSwap(Model):
    kind: Literal["make-swap"] = "make-swap"
    device: str


class CreateSubvolume(Model):
    """A btrfs subvolume; path is below the target."""

    kind: Literal["create-subvolume"] = "create-subvolume"
    path: str


class Mount(Model):
    """Mount the device below the target; path "/" is the target itself."""

    kind: Literal["mount"] = "mount"
    device: str
    path: str
    filesystem: str
    options: tuple[str, ...] = ()


StorageAction = (
    WipeDisk
    | PartitionDisk
    | RetireVolumeGroup
    | RetireZpool
    | CreateRaid
    | CreateVolumeGroup
    | CreateLogicalVolume
    | CreateThinPool
    | CreateZpool
    | CreateDataset
    | SetZpoolProperty
    | ExportZpool
    | MakeFilesystem
    | MakeSwap
    | CreateSubvolume
    | Mount
)
