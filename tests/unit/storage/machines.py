"""Machines to plan for: disks and inventories as the tests of storage need them."""

from __future__ import annotations

from typing import Any, Literal

from installer.answers.disks import DiskSetup
from installer.inventory.model import Content, Disk, Firmware, Inventory

GIB = 2**30


def disk(name: str, gib: float = 32, **values: Any) -> Disk:
    """A blank SATA disk with a serial number made from its name."""
    serial = f"SER-{name.upper()}"
    defaults: dict[str, Any] = {
        "name": name,
        "path": f"/dev/{name}",
        "size_bytes": int(gib * GIB),
        "serial": serial,
        "model": "QEMU HARDDISK",
        "bus": "ata",
        "links": (f"/dev/disk/by-id/ata-QEMU_HARDDISK_{serial}",),
        "udev": {"ID_BUS": "ata", "ID_SERIAL": f"QEMU_HARDDISK_{serial}"},
    }
    return Disk(**defaults | values)


def content(device: str, kind: str = "ext4", **values: Any) -> Content:
    return Content(device=device, kind=kind, **values)


def machine(
    *disks: Disk, memory_mib: int = 16384, firmware: Literal["bios", "uefi"] = "uefi"
) -> Inventory:
    secure_boot = None if firmware == "bios" else False
    return Inventory(
        firmware=Firmware(mode=firmware, secure_boot=secure_boot),
        memory_mib=memory_mib,
        disks=disks,
    )


def setup(**table: Any) -> DiskSetup:
    """A [disk-setup] table, by default ext4 on sda; underscores stand for hyphens."""
    values = {"filesystem": "ext4"} | table
    if not {"disk_list", "filter", "select"} & set(values):
        values["disk_list"] = ["sda"]
    return DiskSetup.model_validate(values)
