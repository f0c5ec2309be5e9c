"""Pictures made of characters: disks before and after. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from installer.plan.model import PlannedDisk
from installer.plan.show import size_text
from installer.plan.storage_actions import Partition
from installer.ui.text import _

# As wide as "BIOS 1007 KiB", where half of the line is enough for that.
NARROWEST = 13


def draw_disks(disks: Sequence[PlannedDisk], width: int, *, ascii: bool) -> Iterator[str]:
    """Each disk as it is and as it will be, in lines of this width."""
    for disk in disks:
        fate = _("left alone") if disk.use == "untouched" else _("ALL OF IT IS ERASED")
        yield f"{disk.path}  {size_text(disk.size_bytes)}: {fate}"[:width]
        before = [(_content_label(disk), 1)] if disk.contents else [(_("empty"), 1)]
        yield from _row(_("now"), before, width, ascii)
        if disk.use != "untouched":
            after = [_part(part, disk.logical_sector_bytes) for part in disk.partitions]
            yield from _row(_("then"), after, width, ascii)


def _content_label(disk: PlannedDisk) -> str:
    return ", ".join(
        f'{content.kind} "{content.label}"' if content.label else content.kind
        for content in disk.contents
    )


def _part(part: Partition, sector: int) -> tuple[str, int]:
    size = (part.last_sector - part.first_sector + 1) * sector
    names = {"bios-boot": "BIOS", "esp": "EFI", "lvm": "LVM", "zfs": "ZFS", "raid": "RAID"}
    return f"{names.get(part.type, part.type)} {size_text(size)}", size


def _row(label: str, parts: Sequence[tuple[str, int]], width: int, ascii: bool) -> Iterator[str]:
    wall = "|" if ascii else "│"
    head = f"  {label:5} {wall}"
    widths = shares([size for _name, size in parts], width - len(head) - len(parts))
    cells = [f"{name[:cell]:{cell}}" for (name, _size), cell in zip(parts, widths, strict=True)]
    yield head + wall.join(cells) + wall


def shares(sizes: Sequence[int], width: int) -> list[int]:
    """The width divided by sizes; every part stays wide enough to be read."""
    least = min(NARROWEST, width // (2 * max(len(sizes), 1)))
    spare = width - least * len(sizes)
    total = sum(sizes) or 1
    found = [least + spare * size // total for size in sizes]
    if found:
        found[found.index(max(found))] += width - sum(found)
    return found
