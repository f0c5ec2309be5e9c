"""The machine's disks: what lsblk and udev say about them, as one record each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from installer.inventory.model import Content, Disk
from installer.inventory.udev import Device

LSBLK_COLUMNS = "NAME,PATH,TYPE,SIZE,LOG-SEC,PHY-SEC,ROTA,RM,RO,MODEL,SERIAL,WWN,TRAN,MOUNTPOINTS"
# lsblk calls these disks too: memory, floppies, and the boot areas of eMMC chips.
NOT_DISKS = re.compile(r"(ram|zram|fd|nbd|mtdblock)\d+|mmcblk\d+(boot\d+|rpmb|gp\d+)")
# Names that tell what is on the disk, not which disk it is.
CONTENT_LINKS = ("lvm-pv-uuid-", "md-", "dm-")
LIVE_MEDIUM = "/run/live/medium"
# Sets that a disk controller's firmware made; breaking one from here would not tell it.
FIRMWARE_RAID = re.compile(r"(isw|ddf|lsi_mega|nvidia|via|silicon_medley|promise_fasttrack)_raid")

# One device of `lsblk --json --bytes --tree`, keyed by the columns in lower case.
Node = Mapping[str, Any]


def disk_nodes(lsblk: str) -> tuple[Node, ...]:
    """The whole disks in the output of `lsblk --json --bytes --tree -o LSBLK_COLUMNS`."""
    return tuple(
        node
        for node in json.loads(lsblk)["blockdevices"]
        if node["type"] == "disk" and node["size"] and not NOT_DISKS.fullmatch(node["name"])
    )


def partition_paths(disk: Node) -> tuple[str, ...]:
    """The devices of a disk's partitions."""
    return tuple(node["path"] for node in _children(disk) if node["type"] == "part")


def make_disk(
    node: Node, devices: Mapping[str, Device], contents: tuple[Content, ...], unreadable: str = ""
) -> Disk:
    """One disk's record.

    devices: udev's, by DEVNAME; contents: the disk's and its partitions'; unreadable: the error
    that reading the disk gave, if it did.
    """
    udev = devices.get(node["path"], Device(""))
    above = list(_above(node))
    return Disk(
        name=node["name"],
        path=node["path"],
        size_bytes=node["size"],
        logical_sector_bytes=node["log-sec"],
        physical_sector_bytes=node["phy-sec"],
        model=node["model"] or "",
        serial=node["serial"] or "",
        wwn=node["wwn"] or "",
        bus=udev.properties.get("ID_BUS") or node["tran"] or "",
        rotational=node["rota"],
        removable=node["rm"],
        read_only=node["ro"],
        partitions=partition_paths(node),
        links=_hardware_links(udev),
        udev=udev.properties,
        contents=contents,
        holders=tuple(sorted({item["name"] for item in above if item["type"] != "part"})),
        in_use=_mounts([node, *above]) or _set_membership(above, udev, contents) or unreadable,
    )


def _children(node: Node) -> Iterable[Node]:
    return node.get("children", ())


def _above(node: Node) -> Iterable[Node]:
    """Everything on top of the device, at any depth: partitions, arrays, volumes."""
    for child in _children(node):
        yield child
        yield from _above(child)


def _hardware_links(udev: Device) -> tuple[str, ...]:
    by_id = "/dev/disk/by-id/"
    return tuple(
        link
        for link in udev.links
        if link.startswith("/dev/disk/by-path/")
        or (link.startswith(by_id) and not link.removeprefix(by_id).startswith(CONTENT_LINKS))
    )


def _mounts(nodes: Iterable[Node]) -> str:
    places = sorted({place for node in nodes for place in node["mountpoints"] if place})
    if LIVE_MEDIUM in places:
        return "holds the installation medium"
    if "[SWAP]" in places:
        return "carries swap that is in use"
    return f"mounted on {', '.join(places)}" if places else ""


def _set_membership(above: Iterable[Node], udev: Device, contents: Iterable[Content]) -> str:
    for node in above:
        if node["type"] == "mpath":
            return f"one of the paths to {node['name']}"
    if udev.properties.get("DM_MULTIPATH_DEVICE_PATH") == "1":
        return "one of several paths to a disk"
    for content in contents:
        if FIRMWARE_RAID.match(content.kind):
            return f"member of a firmware RAID set ({content.kind})"
    return ""
