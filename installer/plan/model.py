"""The plan: everything that an installation will do, as data, before any of it is done.

The JSON form of `Plan` is what `python3 -m installer plan --json` prints; docs/plan-format.md
describes it. A plan holds no secrets: actions that need one name it, and the executor
is handed the secrets beside the plan.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from agent.config import Directory, LvmThin, Zfs
from installer.inventory.model import Content, Model

SCHEMA_VERSION: Final = 1

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


class PlannedDisk(Model):
    """What happens to one disk of the machine, and what is on it now.

    use: "system" carries the node, "data" an extra pool, "untouched" is left alone;
    reason: why it was chosen or left out, in words for a person.
    """

    path: str
    size_bytes: int
    logical_sector_bytes: int
    model: str
    serial: str
    wwn: str
    contents: tuple[Content, ...]
    use: Literal["system", "data", "untouched"]
    reason: str
    partitions: tuple[Partition, ...] = ()


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


class UnpackImage(Model):
    """Unpack one of the medium's images over the target."""

    kind: Literal["unpack-image"] = "unpack-image"
    image: str


class CopyKernel(Model):
    """Put the medium's kernel and initrd into the target's /boot."""

    kind: Literal["copy-kernel"] = "copy-kernel"


class WriteFiles(Model):
    """Write the plan's `files` into the target."""

    kind: Literal["write-files"] = "write-files"


class SetPassword(Model):
    """Set the account's password to a secret that the executor holds under this name."""

    kind: Literal["set-password"] = "set-password"
    user: str
    secret: str
    hashed: bool


class AddUser(Model):
    """Create an account; its password and keys come by actions and files of their own."""

    kind: Literal["add-user"] = "add-user"
    name: str
    full_name: str
    groups: tuple[str, ...]


class RunInTarget(Model):
    """Run one of the answer's own commands in the target."""

    kind: Literal["run-in-target"] = "run-in-target"
    argv: tuple[str, ...]


class KeepLog(Model):
    """Write the installer's log to the node."""

    kind: Literal["keep-log"] = "keep-log"
    path: str


class WriteIdentity(Model):
    """New machine id and new SSH host keys."""

    kind: Literal["write-identity"] = "write-identity"


class InstallBootLoader(Model):
    """Kernel, initrd and GRUB on one disk: its ESP, its boot sector, the firmware's entry.

    esp_uuid: of the ESP's FAT; bios: the disk has a BIOS boot partition; kernel_parameters: those
    of the node, in order.
    """

    kind: Literal["install-boot-loader"] = "install-boot-loader"
    disk: str
    esp: str
    esp_number: int
    esp_uuid: str
    bios: bool
    firmware_entry: bool
    kernel_parameters: tuple[str, ...]


class Unmount(Model):
    """Write everything out and take the target apart, innermost first."""

    kind: Literal["unmount"] = "unmount"


Action = Annotated[
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
    | UnpackImage
    | CopyKernel
    | WriteFiles
    | SetPassword
    | AddUser
    | RunInTarget
    | WriteIdentity
    | InstallBootLoader
    | KeepLog
    | Unmount,
    Field(discriminator="kind"),
]


class PlannedFile(Model):
    """One file of the node. content is its whole text.

    mode: octal text as chmod takes it, "0644"; owner: one of the node's accounts, whose group the
    file gets too. A link_target makes it a symlink.
    """

    path: str
    content: str = ""
    mode: str = "0644"
    owner: str = "root"
    link_target: str = ""


GuestStorage = Annotated[LvmThin | Zfs | Directory, Field(discriminator="kind")]


class StoragePlan(Model):
    """The storage part: disks, and the actions that prepare and release the target.

    prepare: from wiping to mounting; finish: what comes after everything is written (export).
    kernel_root: the kernel parameters that find the root file system;
    fstab: its lines, (device, path, type, options, dump, pass);
    esps: (disk, partition device, FAT volume id "XXXX-XXXX") of every root disk;
    guests: where guests live; data_pools: the same for extra pools, by their names;
    zfs_arc_max_bytes: for zfs.ko's zfs_arc_max, 0 leaves the limit to ZFS.
    """

    disks: tuple[PlannedDisk, ...]
    prepare: tuple[Action, ...]
    finish: tuple[Action, ...] = ()
    kernel_root: tuple[str, ...]
    fstab: tuple[tuple[str, str, str, str, int, int], ...]
    esps: tuple[tuple[str, str, str], ...]
    guests: GuestStorage
    data_pools: dict[str, GuestStorage] = {}
    zfs_arc_max_bytes: int
    summary: str
    warnings: tuple[str, ...] = ()


class Plan(Model):
    """Everything that will happen, in order.

    warnings: what a person should know and nothing prevents.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    fqdn: str
    summary: str
    warnings: tuple[str, ...] = ()
    disks: tuple[PlannedDisk, ...]
    actions: tuple[Action, ...]
    files: tuple[PlannedFile, ...]
    reboot: Literal["reboot", "power-off"] = "reboot"
