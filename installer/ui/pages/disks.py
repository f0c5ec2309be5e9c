"""Disks and layout: what is there, what is to be, and the options of the layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from installer.inventory.model import Disk, Inventory
from installer.plan.disk_checks import why_unusable
from installer.plan.disk_match import is_named
from installer.plan.disks import name_order
from installer.plan.show import size_text
from installer.plan.storage.layout import stable_link
from installer.session.defaults import usable_disks
from installer.ui.drawing import draw_disks
from installer.ui.page import Choice, Drawing, Effects, Field, Many, Option, Page, Text
from installer.ui.storage_choices import LAYOUTS, StorageChoices, from_table, to_table
from installer.ui.text import _
from installer.ui.view import View

COMPRESSIONS = ("", "on", "off", "lz4", "zstd")
BTRFS_COMPRESSIONS = ("", "off", "zlib", "lzo", "zstd")


def layout_names() -> dict[str, str]:
    """What each layout is, in words."""
    return {
        "ext4": _("LVM with thin pool, ext4, one disk"),
        "xfs": _("LVM with thin pool, XFS, one disk"),
        "md-raid1": _("LVM with thin pool, ext4, on an md mirror"),
        "zfs-raid0": _("ZFS, one disk, or striped without redundancy"),
        "zfs-raid1": _("ZFS mirror"),
        "zfs-raid10": _("ZFS, striped mirrors (RAID 10)"),
        "zfs-raidz-1": _("ZFS RAID-Z1, one disk may fail"),
        "zfs-raidz-2": _("ZFS RAID-Z2, two disks may fail"),
        "zfs-raidz-3": _("ZFS RAID-Z3, three disks may fail"),
        "btrfs-raid0": _("Btrfs, one disk, or striped without redundancy"),
        "btrfs-raid1": _("Btrfs mirror"),
        "btrfs-raid10": _("Btrfs, striped mirrors (RAID 10)"),
    }


def option_labels() -> dict[str, str]:
    return {
        "hdsize": _("Use of each disk, GiB"),
        "swapsize": _("Swap, GiB"),
        "maxroot": _("Root at most, GiB"),
        "maxvz": _("Thin pool at most, GiB"),
        "compress": _("Compression"),
    }


def disks_page(view: View) -> Page:
    table = view.at("disk-setup") or {}
    choices = from_table(table)

    def change(**values: object) -> Effects:
        changed = replace(choices, **values)  # type: ignore[arg-type]
        return (view.set(("disk-setup",), to_table(changed, table)),)

    return Page(
        "disks",
        _("Disks and layout"),
        help=_(
            "All that is on the disks with a cross is erased, once you have typed the word on the "
            "last page. Every disk that the node starts from gets a boot partition of its own, so "
            "a mirror starts from either disk. A thin pool or ZFS holds the guests. Fields that "
            "are left empty get a size that fits the disk. The drawing below shows each disk as "
            "it is now, and as it will be."
        ),
        fields=tuple(_fields(view, choices, change)),
        blocked=_blocked(view, choices),
    )


def _fields(view: View, choices: StorageChoices, change: Callable[..., Effects]) -> Iterator[Field]:
    names = layout_names()
    yield Choice(
        "layout",
        _("Layout"),
        choices.layout,
        tuple(Option(name, names[name]) for name in LAYOUTS),
        lambda value: change(layout=value, disks=_fitting(choices, value), options={}),
    )
    if view.inventory:
        yield _disk_field(view.inventory, choices, view, change)
    for name in choices.option_names:
        yield _option_field(name, choices, view, change)
    lines = draw_disks(view.state.disks, view.width - 6, ascii=view.ascii)
    yield Drawing("drawing", tuple(lines) + tuple(_unusable(view.inventory)))


def _fitting(choices: StorageChoices, layout: str) -> tuple[str, ...]:
    """A layout for one disk keeps the first one."""
    wanted = LAYOUTS[layout]
    return choices.disks if wanted.raid else choices.disks[:1]


def _disk_field(
    inventory: Inventory, choices: StorageChoices, view: View, change: Callable[..., Effects]
) -> Many:
    disks = usable_disks(inventory)
    named = {
        stable_link(disk): name for name in choices.disks for disk in disks if is_named(disk, name)
    }
    one = not LAYOUTS[choices.layout].raid

    def choose(values: tuple[str, ...]) -> Effects:
        # Of a layout for one disk the newest choice stays.
        added = tuple(value for value in values if value not in named)
        return change(disks=(added or values)[:1] if one else values)

    return Many(
        "disks",
        _("Disks"),
        tuple(stable_link(disk) for disk in disks if stable_link(disk) in named),
        tuple(_option(disk) for disk in disks),
        choose,
        view.state.disks_problem if choices.disks else "",
    )


def _option(disk: Disk) -> Option:
    label = "  ".join(filter(None, (disk.name, size_text(disk.size_bytes), disk.model)))
    serial = _("serial {serial}").format(serial=disk.serial) if disk.serial else _("no serial")
    return Option(stable_link(disk), label, f"{serial}; {_('now')}: {contents_text(disk)}")


def contents_text(disk: Disk) -> str:
    """What a disk holds now, in a few words."""
    kinds = dict.fromkeys(
        f'{content.kind} "{content.label}"' if content.label else content.kind
        for content in disk.contents
    )
    return ", ".join([*kinds, *disk.holders]) or _("empty")


def _option_field(
    name: str, choices: StorageChoices, view: View, change: Callable[..., Effects]
) -> Field:
    table = LAYOUTS[choices.layout].table
    value = choices.options.get(name, "")

    def changed(text: str) -> Effects:
        return change(options={**choices.options, name: text.strip()})

    problem = view.problem("disk-setup", table, name)
    if name == "compress":
        levels = COMPRESSIONS if table == "zfs" else BTRFS_COMPRESSIONS
        options = tuple(Option(level, level or _("default")) for level in levels)
        return Choice(name, option_labels()[name], value, options, changed, problem)
    return Text(name, option_labels()[name], value, changed, problem, normal=_number)


def _number(text: str) -> str:
    try:
        return f"{float(text):g}"
    except ValueError:
        return text.strip()


def _unusable(inventory: Inventory | None) -> Iterator[str]:
    for disk in sorted(inventory.disks if inventory else (), key=name_order):
        if reason := why_unusable(disk):
            yield f"{disk.path}  {size_text(disk.size_bytes)}: {reason}"


def _blocked(view: View, choices: StorageChoices) -> str:
    wanted = LAYOUTS[choices.layout].disks
    if len(choices.disks) < wanted:
        return _("choose {wanted} or more disks").format(wanted=wanted)
    return view.state.disks_problem or view.problem("disk-setup")
