"""Where the partitions of one disk lie: pure arithmetic on sectors.

The layout is the same on every disk of the node, so that each can take the place of another: a
BIOS boot partition in the gap before the first mebibyte, an EFI system partition (ESP), and
the rest for the system. Sizes follow the Proxmox installer.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.boot.partition import partition_device
from agent.core.errors import SlipwayError
from installer.inventory.model import Disk
from installer.plan.disk_checks import MINIMUM_SYSTEM_DISK_GIB
from installer.plan.storage_actions import Partition, PartitionType

KIB_PER_GIB = 2**20
MIB = 2**20
# Disks above this size get the large ESP; it holds every kernel with its initrd.
LARGE_DISK_KIB = 100 * KIB_PER_GIB
LARGE_ESP_MIB = 1024
SMALL_ESP_MIB = 512
# GPT's header and table at the disk's start take 34 sectors of 512 bytes. What is left before the
# first mebibyte is for GRUB in BIOS mode.
BIOS_BOOT_SECTORS = (34, 2047)


def limit_kib(hdsize_gib: float | None, disks: Sequence[Disk]) -> int:
    """KiB of each disk that a set of disks uses: hdsize, or the size of the first disk."""
    return disks[0].size_bytes // 1024 if hdsize_gib is None else int(hdsize_gib * KIB_PER_GIB)


def usable_kib(disk: Disk, limit: int) -> int:
    """KiB of the disk that are used: all of a disk that is smaller than the limit (KiB)."""
    return min(disk.size_bytes // 1024, limit)


def esp_mib(disk: Disk) -> int:
    """Size of the disk's ESP. The disk's own size decides, whatever part of it is used."""
    return LARGE_ESP_MIB if disk.size_bytes // 1024 > LARGE_DISK_KIB else SMALL_ESP_MIB


def system_size_kib(disk: Disk, limit: int) -> int:
    """KiB that the Proxmox arithmetic counts for the system: what follows the ESP.

    The partition itself is up to a mebibyte smaller, as it ends where the backup GPT begins.
    """
    return usable_kib(disk, limit) - (esp_mib(disk) + 1) * 1024


def system_partitions(disk: Disk, system_type: PartitionType, limit: int) -> tuple[Partition, ...]:
    """The partitions of a disk that carries the node: BIOS boot (not on 4Kn), ESP, system.

    Raises SlipwayError when less than MINIMUM_SYSTEM_DISK_GIB would be used.
    """
    _check_size(disk, limit)
    esp_end_mib = 1 + esp_mib(disk)
    per_mib = MIB // disk.logical_sector_bytes
    end = _end_mib(disk, limit) * per_mib
    ranges: list[tuple[PartitionType, str, int, int]] = [
        ("esp", "esp", per_mib, esp_end_mib * per_mib - 1),
        (system_type, "system", esp_end_mib * per_mib, end - 1),
    ]
    if disk.logical_sector_bytes == 512:
        ranges.insert(0, ("bios-boot", "bios-boot", *BIOS_BOOT_SECTORS))
    return tuple(_partition(disk, index, *range) for index, range in enumerate(ranges, start=1))


def data_partitions(disk: Disk, data_type: PartitionType, limit: int) -> tuple[Partition, ...]:
    """The one partition of a disk of an extra data pool."""
    per_mib = MIB // disk.logical_sector_bytes
    end = _end_mib(disk, limit) * per_mib
    return (_partition(disk, 1, data_type, "data", per_mib, end - 1),)


def partition_kib(disk: Disk, partition: Partition) -> int:
    """The partition's size in whole KiB."""
    sectors = partition.last_sector - partition.first_sector + 1
    return sectors * disk.logical_sector_bytes // 1024


def _check_size(disk: Disk, limit: int) -> None:
    used_kib = usable_kib(disk, limit)
    if used_kib < MINIMUM_SYSTEM_DISK_GIB * KIB_PER_GIB:
        raise SlipwayError(
            f"{used_kib / KIB_PER_GIB:.1f} GiB are too small for a node",
            where=disk.path,
            hint=f"Choose a disk, and a hdsize, of at least {MINIMUM_SYSTEM_DISK_GIB} GiB.",
        )


def _end_mib(disk: Disk, limit: int) -> int:
    """Where the last partition ends, in MiB from the disk's start, never in the backup GPT."""
    # The backup GPT: one header and 16 KiB of table.
    backup_bytes = disk.logical_sector_bytes + 16 * 1024
    disk_end_mib = (disk.size_bytes - backup_bytes) // MIB
    return min(disk_end_mib, usable_kib(disk, limit) // 1024)


def _partition(
    disk: Disk, number: int, type: PartitionType, name: str, first_sector: int, last_sector: int
) -> Partition:
    return Partition(
        number=number,
        name=name,
        type=type,
        first_sector=first_sector,
        last_sector=last_sector,
        device=partition_device(disk.path, number),
    )
