"""Writing a partition table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import _ped
import parted

from agent.core.command import run
from agent.core.errors import SlipwayError
from agent.disk.clear import zero_ends
from installer.plan.storage_actions import Partition, PartitionDisk

# GPT partition types, from the UEFI and the Discoverable Partitions specifications; ZFS's is that
# of Solaris' /usr, which OpenZFS uses.
TYPES = {
    "bios-boot": UUID("21686148-6449-6e6f-744e-656564454649"),
    "esp": UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
    "lvm": UUID("e6d6d379-f507-44c2-a23c-238f2a3df928"),
    "raid": UUID("a19d880f-05fc-4d3b-a006-743f0f84911e"),
    "zfs": UUID("6a898cc3-1dd2-11b2-99a6-080020736631"),
    "linux": UUID("0fc63daf-8483-4772-8e79-3d69d8477de4"),
}
# Devices appear within a second or two; a controller that resets itself may need longer.
WAIT_SECONDS = 60


def partition_disk(action: PartitionDisk, target: Path) -> None:
    """Write the table, and wait until the kernel and udev have the partitions.

    What earlier partitions left where the new ones begin and end is zeroed first, so that
    nothing wakes up when they appear. Raises SlipwayError.
    """
    sector_bytes = parted.getDevice(action.device).sectorSize
    for partition in action.partitions:
        start = partition.first_sector * sector_bytes
        size = (partition.last_sector + 1) * sector_bytes - start
        zero_ends(action.device, start, size)
    write_table(action.device, action.partitions)
    devices = [partition.device for partition in action.partitions]
    run(["udevadm", "wait", f"--timeout={WAIT_SECONDS}", "--settle", *devices])


def write_table(device: str, partitions: Sequence[Partition]) -> None:
    """Write a new GPT with these partitions to a disk (or an image of one).

    Raises SlipwayError when libparted refuses.
    """
    try:
        disk = parted.freshDisk(parted.getDevice(device), "gpt")
        for partition in partitions:
            _add(disk, partition)
        disk.commit()
    except (parted.DiskException, parted.PartitionException, _ped.IOException) as error:
        raise SlipwayError(f"the disk cannot be partitioned: {error}", where=device) from error


def _add(disk: parted.Disk, planned: Partition) -> None:
    geometry = parted.Geometry(
        device=disk.device, start=planned.first_sector, end=planned.last_sector
    )
    partition = parted.Partition(disk=disk, type=parted.PARTITION_NORMAL, geometry=geometry)
    # Exactly there: libparted's own alignment would move the BIOS boot partition.
    disk.addPartition(partition, parted.Constraint(exactGeom=geometry))
    partition.set_name(planned.name)
    partition.type_uuid = TYPES[planned.type].bytes
    if partition.number != planned.number:
        raise SlipwayError(
            f"libparted numbers partition {planned.number} as {partition.number}",
            where=disk.device.path,
        )
