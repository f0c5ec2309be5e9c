"""The disks page's choices, and the [disk-setup] table that they stand for. Pure, both ways."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Table = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """filesystem and raid as the answer file has them; table: of the options; disks: at least."""

    filesystem: str
    table: str
    raid: str = ""
    disks: int = 1


LAYOUTS = {
    "ext4": Layout("ext4", "lvm"),
    "xfs": Layout("xfs", "lvm"),
    "md-raid1": Layout("ext4", "lvm", "raid1", 2),
    "zfs-raid0": Layout("zfs", "zfs", "raid0"),
    "zfs-raid1": Layout("zfs", "zfs", "raid1", 2),
    "zfs-raid10": Layout("zfs", "zfs", "raid10", 4),
    "zfs-raidz-1": Layout("zfs", "zfs", "raidz-1", 3),
    "zfs-raidz-2": Layout("zfs", "zfs", "raidz-2", 4),
    "zfs-raidz-3": Layout("zfs", "zfs", "raidz-3", 5),
    "btrfs-raid0": Layout("btrfs", "btrfs", "raid0"),
    "btrfs-raid1": Layout("btrfs", "btrfs", "raid1", 2),
    "btrfs-raid10": Layout("btrfs", "btrfs", "raid10", 4),
}
# The options that people are asked for; numbers, except for compress.
OPTIONS = {
    "lvm": ("hdsize", "swapsize", "maxroot", "maxvz"),
    "zfs": ("hdsize", "compress"),
    "btrfs": ("hdsize", "compress"),
}


@dataclass(frozen=True)
class StorageChoices:
    """layout: a key of LAYOUTS; disks: as in disk-list; options: what was typed, by key."""

    layout: str = "ext4"
    disks: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)

    @property
    def option_names(self) -> tuple[str, ...]:
        return OPTIONS[LAYOUTS[self.layout].table]


def from_table(table: Table) -> StorageChoices:
    """The choices that this table stands for."""
    filesystem = table.get("filesystem", "ext4")
    key = {"zfs": "zfs", "btrfs": "btrfs"}.get(filesystem, "lvm")
    options: Table = table.get(key) or {}
    raid = options.get("raid", "")
    layout = next(
        (name for name, x in LAYOUTS.items() if (x.filesystem, x.raid) == (filesystem, raid)),
        "ext4",
    )
    typed = {name: _text(options[name]) for name in OPTIONS[key] if name in options}
    return StorageChoices(layout, tuple(table.get("disk-list") or ()), typed)


def to_table(choices: StorageChoices, kept: Table) -> Table:
    """The table for these choices. kept: the table before, whose other keys stay."""
    layout = LAYOUTS[choices.layout]
    replaced = ("lvm", "zfs", "btrfs", "disk-list", "filesystem", "filter", "select")
    table = {key: value for key, value in kept.items() if key not in replaced}
    options: Table = {"raid": layout.raid} if layout.raid else {}
    for name in OPTIONS[layout.table]:
        if choices.options.get(name):
            options[name] = _number(choices.options[name])
    table["filesystem"] = layout.filesystem
    if choices.disks:
        table["disk-list"] = list(choices.disks)
    return table | ({layout.table: options} if options else {})


def _number(text: str) -> float | str:
    """A number if it is one; anything else is left for the schema to refuse."""
    try:
        return float(text)
    except ValueError:
        return text


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
