"""What keeps a chosen disk from being used: checks that come before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agent.core.errors import SlipwayError
from installer.inventory.model import Disk, Inventory

GIB = 2**30
# Below this a node cannot hold the system, its updates and its logs.
MINIMUM_SYSTEM_DISK_GIB = 8
MINIMUM_DATA_DISK_GIB = 1


def why_unusable(disk: Disk, *, system: bool = True) -> str:
    """Why the disk can carry nothing of ours; empty when it can. system: the node itself."""
    minimum_gib = MINIMUM_SYSTEM_DISK_GIB if system else MINIMUM_DATA_DISK_GIB
    if disk.in_use:
        return f"in use: {disk.in_use}"
    if disk.read_only:
        return "read-only"
    if disk.size_bytes < minimum_gib * GIB:
        return f"smaller than {minimum_gib} GiB"
    return ""


def check_disks(
    disks: Sequence[Disk],
    *,
    system: Collection[Disk],
    consented: Collection[str],
    wipe: str,
    inventory: Inventory,
) -> None:
    """Refuse disks that must not be used as they are.

    consented: paths of disks that may be cleared, because the answer names their identity.
    Raises SlipwayError: duplicate serial numbers, 4Kn system disks in BIOS mode, data.
    """
    _check_serials(disks, inventory.disks)
    if inventory.firmware.mode == "bios":
        _check_sectors(system)
    if wipe != "selected":
        _check_consent([disk for disk in disks if disk.path not in consented])


def _check_serials(disks: Sequence[Disk], machine: Sequence[Disk]) -> None:
    # NVMe namespaces share a serial number and differ in their WWN.
    for disk in disks:
        for other in machine:
            same = (other.serial, other.wwn, other.model) == (disk.serial, disk.wwn, disk.model)
            if disk.serial and other.path != disk.path and same:
                raise SlipwayError(
                    f"{disk.path} and {other.path} have the same serial number {disk.serial}",
                    where=disk.path,
                    hint="They may be two paths to one disk. Leave one path connected.",
                )


def _check_sectors(disks: Collection[Disk]) -> None:
    for disk in disks:
        if disk.logical_sector_bytes != 512:
            raise SlipwayError(
                f"a disk with sectors of {disk.logical_sector_bytes} bytes cannot be started "
                "from in BIOS mode",
                where=disk.path,
                hint="Switch the firmware to UEFI or choose another disk.",
            )


def _check_consent(disks: Sequence[Disk]) -> None:
    carrying = [disk for disk in disks if disk.contents or disk.holders]
    if not carrying:
        return
    found = [f"{disk.path} carries {_describe_contents(disk)}" for disk in carrying]
    raise SlipwayError(
        "the chosen disks carry data, and the answer does not say that it may be erased",
        where=", ".join(disk.path for disk in carrying),
        hint="\n  ".join([*found, _consent_line(carrying)]),
    )


def _describe_contents(disk: Disk) -> str:
    contents = [
        f"{content.kind} on {content.device}" + (f' "{content.label}"' if content.label else "")
        for content in disk.contents
    ]
    return ", ".join(contents + [f"{holder} on top of it" for holder in disk.holders])


def _consent_line(disks: Sequence[Disk]) -> str:
    line = 'To erase all of it, add this line at the top of the answer: wipe = "selected"'
    names = [disk.serial or disk.wwn for disk in disks]
    if all(names):
        listed = ", ".join(f'"{name}"' for name in names)
        line += f"\n  or name these disks by their identity: disk-list = [{listed}]"
    return line
