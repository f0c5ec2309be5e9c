"""Clearing a disk: what is on top of it is taken apart, its two ends and its partitions' zeroed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.core.command import run
from agent.core.errors import SlipwayError
from agent.disk.clear import zero_ends
from installer.plan.storage_actions import WipeDisk

Node = Mapping[str, Any]


def wipe_disk(action: WipeDisk, target: Path) -> None:
    """Clear the disk, after making sure that it is the one that was planned for.

    Raises SlipwayError when its identity or partitions changed, or when something uses it.
    """
    disk = _look(action.device)
    check_identity(action, disk)
    above = list(_innermost_first(disk))
    _check_unused([*above, disk])
    for node in above:
        _take_apart(node)
    for node in (*_partitions(disk), disk):
        zero_ends(node["path"], 0, node["size"])
    run(["udevadm", "settle"])


def check_identity(action: WipeDisk, disk: Node) -> None:
    """Compare the plan with the system. disk: lsblk's record. Raises SlipwayError."""
    now = (disk["serial"] or "", disk["size"], sorted(node["path"] for node in _partitions(disk)))
    planned = (action.serial, action.size_bytes, sorted(action.partitions))
    if now != planned:
        raise SlipwayError(
            "this is no longer the disk that the plan was made for; nothing was written to it",
            where=action.device,
            hint="Planned (serial, bytes, partitions): {!r}, found: {!r}. Start again.".format(
                planned, now
            ),
        )


def _look(device: str) -> Node:
    columns = "NAME,PATH,TYPE,SIZE,SERIAL,MOUNTPOINTS"
    listed = run(["lsblk", "--json", "--bytes", "--tree", "--output", columns, device]).stdout
    node: Node = json.loads(listed)["blockdevices"][0]
    return node


def _partitions(disk: Node) -> tuple[Node, ...]:
    return tuple(node for node in disk.get("children", ()) if node["type"] == "part")


def _innermost_first(node: Node) -> Iterator[Node]:
    """Everything on top of the device; what lies on another one comes before it, and once."""
    seen = set()

    def visit(current: Node) -> Iterator[Node]:
        for child in current.get("children", ()):
            yield from visit(child)
            if child["path"] not in seen:
                seen.add(child["path"])
                yield child

    return visit(node)


def _check_unused(nodes: Iterable[Node]) -> None:
    for node in nodes:
        places = [place for place in node["mountpoints"] if place]
        if places:
            raise SlipwayError(f"is in use: {', '.join(places)}", where=node["path"])


def _take_apart(node: Node) -> None:
    if node["type"].startswith("raid"):
        run(["mdadm", "--stop", node["path"]])
    elif node["type"] != "part":
        run(["dmsetup", "remove", "--retry", node["name"]])
