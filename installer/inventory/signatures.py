"""What is on disks now: signatures that libblkid knows, and LVM's volume groups."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from installer.inventory.model import Content, VolumeGroup

WIPEFS_COLUMNS = "DEVICE,OFFSET,TYPE,UUID,LABEL"


def parse_wipefs(devices: Sequence[str], text: str) -> tuple[Content, ...]:
    """The signatures on a disk and its partitions.

    devices: their paths; text: `wipefs --json --no-act --output WIPEFS_COLUMNS DEVICE …`.
    One that is there more than once (a GPT and its backup) is given once, with its first offset.
    """
    # wipefs names devices without their folder.
    paths = {PurePath(device).name: device for device in devices}
    found: dict[tuple[str, str, str, str], Content] = {}
    for signature in json.loads(text or "{}").get("signatures", ()):
        content = Content(
            device=paths[signature["device"]],
            kind=signature["type"],
            label=signature["label"] or "",
            uuid=signature["uuid"] or "",
            offset_bytes=int(signature["offset"], 0),
        )
        found.setdefault((content.device, content.kind, content.label, content.uuid), content)
    with_gpt = {content.device for content in found.values() if content.kind == "gpt"}
    # The protective MBR is a part of the GPT.
    return tuple(
        content
        for content in found.values()
        if not (content.kind == "PMBR" and content.device in with_gpt)
    )


def contents_from_udev(device: str, properties: Mapping[str, str]) -> tuple[Content, ...]:
    """What udev found on the device when it came: less than wipefs shows, but anyone may ask."""
    contents = []
    # Partitions carry the type of the table that they are in.
    if "ID_PART_TABLE_TYPE" in properties and properties.get("DEVTYPE") == "disk":
        contents.append(Content(device=device, kind=properties["ID_PART_TABLE_TYPE"]))
    if "ID_FS_TYPE" in properties:
        file_system = Content(
            device=device,
            kind=properties["ID_FS_TYPE"],
            label=properties.get("ID_FS_LABEL", ""),
            uuid=properties.get("ID_FS_UUID", ""),
        )
        contents.append(file_system)
    return tuple(contents)


def parse_pvs(text: str) -> tuple[VolumeGroup, ...]:
    """The volume groups in `pvs --reportformat json -o pv_name,vg_name,vg_uuid`."""
    devices = defaultdict(list)
    for report in json.loads(text or "{}").get("report", ()):
        for volume in report.get("pv", ()):
            if volume["vg_name"]:
                devices[volume["vg_uuid"], volume["vg_name"]].append(volume["pv_name"])
    return tuple(
        VolumeGroup(name=name, uuid=uuid, devices=tuple(sorted(names)))
        for (uuid, name), names in sorted(devices.items())
    )
