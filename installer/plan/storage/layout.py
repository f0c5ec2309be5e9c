"""What every layout planner returns, and the ids that plans give to what they make."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from installer.inventory.model import Disk
from installer.plan.model import Action, GuestStorage
from installer.plan.storage_actions import Partition

# Makes UUIDs that Slipway derives differ from everybody else's; made once at random.
NAMESPACE = uuid.UUID("5f2a3c1e-7a0d-4f5b-9a52-0c4f9a8f6b1d")


# Device, path, type, options, dump and fsck's pass.
FstabLine = tuple[str, str, str, str, int, int]


@dataclass(frozen=True)
class Layout:
    """One layout on its disks.

    partitions: by the disk's path; create: from partitions to mounted file systems;
    finish: what releases the target; the rest is as in StoragePlan.
    """

    partitions: Mapping[str, tuple[Partition, ...]]
    create: tuple[Action, ...]
    guests: GuestStorage
    summary: str
    finish: tuple[Action, ...] = ()
    kernel_root: tuple[str, ...] = ()
    fstab: tuple[FstabLine, ...] = ()


def stable_link(disk: Disk) -> str:
    """The name of the disk that best survives a new cable: by-id, then by-path, then /dev/sda."""

    def rank(link: str) -> tuple[bool, bool, bool, str]:
        name = link.rpartition("/")[2]
        # A link without udev's whole serial may be shared by all namespaces of an NVMe controller.
        partial = not name.endswith(disk.udev.get("ID_SERIAL", ""))
        # Links that carry model and serial can be read by a person who holds the disk.
        opaque = name.startswith(("wwn-", "nvme-eui.", "nvme-nvme.", "nvme-uuid."))
        return not link.startswith("/dev/disk/by-id/"), partial, opaque, link

    return min(disk.links, key=rank, default=disk.path)


def stable_partition(disk: Disk, partition: Partition) -> str:
    """The partition's name that goes with the disk's stable_link."""
    link = stable_link(disk)
    return partition.device if link == disk.path else f"{link}-part{partition.number}"


def derived_uuid(disks: Iterable[Disk], purpose: str) -> str:
    """A UUID that is the same whenever the same disks are planned for the same purpose."""
    return str(uuid.uuid5(NAMESPACE, "\n".join([purpose, *map(_identity, disks)])))


def fat_id(disk: Disk) -> str:
    """The FAT volume id of the disk's ESP, as blkid shows it: "1A2B-3C4D"."""
    digits = hashlib.sha256(f"esp\n{_identity(disk)}".encode()).hexdigest()[:8].upper()
    return f"{digits[:4]}-{digits[4:]}"


def _identity(disk: Disk) -> str:
    return "\n".join([disk.serial, disk.wwn, str(disk.size_bytes), stable_link(disk)])
