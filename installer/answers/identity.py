"""Who this machine is: the document that an answer server gets to choose an answer by.

The fields up to network_interfaces are those of the Proxmox installer's request, version 1.0.
"""

from __future__ import annotations

from agent import __version__
from installer.inventory.model import Inventory

# The document's names for the files of /sys/class/dmi/id.
DMI_FILES = {
    "system": {
        "serial": "product_serial",
        "sku": "product_sku",
        "uuid": "product_uuid",
        "name": "product_name",
    },
    "baseboard": {
        "asset_tag": "board_asset_tag",
        "serial": "board_serial",
        "name": "board_name",
    },
    "chassis": {
        "serial": "chassis_serial",
        "sku": "chassis_sku",
        "asset_tag": "chassis_asset_tag",
    },
}


def identity(inventory: Inventory) -> dict[str, object]:
    """The document for this machine. Sizes are in bytes, memory in MiB."""
    return {
        "$schema": {"version": "1.0"},
        "product": {"fullname": "Slipway", "product": "slipway", "enable_btrfs": True},
        "iso": {"release": __version__, "isorelease": "1"},
        "dmi": {
            part: {key: inventory.dmi[file] for key, file in files.items() if file in inventory.dmi}
            for part, files in DMI_FILES.items()
        },
        "network_interfaces": [
            {"link": link.name, "mac": link.mac} for link in inventory.interfaces
        ],
        "firmware": inventory.firmware.mode,
        "memory_mib": inventory.memory_mib,
        "cpu": {"model": inventory.cpu_model, "threads": inventory.cpu_threads},
        "disks": [
            {
                "name": disk.name,
                "size_bytes": disk.size_bytes,
                "model": disk.model,
                "serial": disk.serial,
                "wwn": disk.wwn,
                "bus": disk.bus,
                "rotational": disk.rotational,
            }
            for disk in inventory.disks
        ],
    }
