"""Looking at whole disks: their partitions, and what is on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.core.command import run
from agent.core.errors import SlipwayError
from agent.disk.model import Disk, Slot
from agent.disk.plan import ESP_TYPE

COLUMNS = "NAME,TYPE,SIZE,LOG-SEC,PARTTYPE,UUID,MOUNTPOINTS"


def disk_path(name: str) -> str:
    """The kernel's path of a disk that is there: for "sdb", "/dev/sdb" and links; else the name."""
    path = Path("/dev") / name
    return str(path.resolve()) if path.exists() else name


def look_at(path: str) -> Disk:
    """The disk as it is. Raises SlipwayError when it is no whole disk."""
    if not Path(path).is_block_device():
        raise SlipwayError("there is no such disk", where=path)
    columns = ["--json", "--bytes", "--tree", "--paths", "--output", COLUMNS]
    node = json.loads(run(["lsblk", *columns, path]).stdout)["blockdevices"][0]
    return disk_of(node, find_signatures([path, *(part["name"] for part in _partitions(node))]))


def find_signatures(devices: list[str]) -> tuple[str, ...]:
    """What libblkid knows on the devices, in words."""
    found = run(["wipefs", "--no-act", "--json", *devices]).stdout
    rows = json.loads(found)["signatures"] if found.strip() else []
    return tuple(dict.fromkeys(f"{row['type']} on {_device(row['device'])}" for row in rows))


def _device(name: str) -> str:
    return str(Path("/dev") / name)


def disk_of(node: dict[str, Any], contents: tuple[str, ...]) -> Disk:
    """The disk from lsblk's record of it. Raises SlipwayError when it is no whole disk."""
    if node["type"] != "disk":
        raise SlipwayError(f"is not a whole disk ({node['type']})", where=node["name"])
    partitions = _partitions(node)
    esp = next((part["uuid"] for part in partitions if part["parttype"] == ESP_TYPE), None)
    return Disk(
        path=node["name"],
        sectors=node["size"] // node["log-sec"],
        sector_bytes=node["log-sec"],
        partitions=tuple(part["name"] for part in partitions),
        contents=contents,
        used_by=tuple(_users(node)),
        esp=esp or "",
    )


def _partitions(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [child for child in node.get("children", ()) if child["type"] == "part"]


def _users(node: dict[str, Any]) -> Iterator[str]:
    """What is mounted from the device, or lies on it without being a partition."""
    yield from (place for place in node["mountpoints"] if place)
    for child in node.get("children", ()):
        if child["type"] != "part":
            yield child["name"]
        yield from _users(child)


def slots_of(disk: str) -> tuple[Slot, ...]:
    """The disk's partition table. Raises CommandFailed when it has none."""
    table = json.loads(run(["sfdisk", "--json", disk]).stdout)["partitiontable"]
    return tuple(
        Slot(
            number=int(row["node"].removeprefix(disk).removeprefix("p")),
            start=row["start"],
            size=row["size"],
            type=row["type"].lower(),
            name=row.get("name", ""),
        )
        for row in table["partitions"]
    )
