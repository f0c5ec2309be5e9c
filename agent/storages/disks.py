"""Where the disks of a virtual machine are, and whether every node reaches them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from agent.config import Zfs
from agent.storages.model import REMOTE, Storage
from agent.storages.users import is_on

ZVOLS = Path("/dev/zvol")


@dataclass(frozen=True)
class Disk:
    """A disk or a medium in a drive. target: its name in the machine, "vda"; place: its path, or
    POOL/VOLUME; shared: every node reaches it; dataset: of ZFS, where it is a volume of ZFS.
    """

    target: str
    place: str
    shared: bool
    dataset: str = ""
    disk: bool = True

    def __str__(self) -> str:
        return f"{self.target} ({self.place})"


def disks_of(xml: str, storages: Mapping[str, Storage]) -> tuple[Disk, ...]:
    """All disks that have a source. storages: those of the node, by the names of their pools."""
    found = []
    for element in ElementTree.fromstring(xml).findall("devices/disk"):
        source, target = element.find("source"), element.find("target")
        if source is None or not source.attrib:
            continue
        known = dict(source.attrib)
        found.append(
            Disk(
                target="" if target is None else target.get("dev", ""),
                place=_place(known),
                shared=_shared(known, storages),
                dataset=_dataset(known, storages),
                disk=element.get("device", "disk") == "disk",
            )
        )
    return tuple(found)


def _place(source: Mapping[str, str]) -> str:
    if "pool" in source:
        return f"{source['pool']}/{source.get('volume', '')}"
    return next((source[each] for each in ("file", "dev", "name", "dir") if each in source), "")


def _shared(source: dict[str, str], storages: Mapping[str, Storage]) -> bool:
    if "protocol" in source:
        return True
    return any(
        isinstance(storage, REMOTE) and is_on(name, storage, source)
        for name, storage in storages.items()
    )


def _dataset(source: Mapping[str, str], storages: Mapping[str, Storage]) -> str:
    storage = storages.get(source.get("pool", ""))
    if isinstance(storage, Zfs):
        return f"{storage.dataset}/{source.get('volume', '')}"
    path = Path(source.get("dev", ""))
    return str(path.relative_to(ZVOLS)) if path.is_relative_to(ZVOLS) else ""
