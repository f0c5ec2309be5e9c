"""What a partition is called, and how an ESP is formatted: the same on every disk of a node."""

from __future__ import annotations


def partition_device(disk: str, number: int) -> str:
    """The kernel's name of a partition: /dev/sda3, but /dev/nvme0n1p3 and /dev/mmcblk0p3."""
    return f"{disk}p{number}" if disk[-1].isdigit() else f"{disk}{number}"


def esp_options(sector_bytes: int) -> tuple[str, ...]:
    """mkfs.vfat's options for an ESP on a disk with logical sectors of this size."""
    # FAT32 needs 65525 clusters: with sectors of 4096 bytes each must be one sector.
    return ("-F", "32", *(("-s", "1") if sector_bytes == 4096 else ()))
