"""The draft as an answer file for the next machine. Pure."""

from __future__ import annotations

import tomlkit

from installer.inventory.model import Inventory
from installer.plan.disk_match import is_named
from installer.session.draft import Document, value_at, with_value

COMMENTS = (
    "Made by Slipway's console installer. For another machine change global.fqdn and network.cidr.",
    'Disks that carry data are refused, unless you add at the top: wipe = "selected"',
)


def answer_file(draft: Document, inventory: Inventory) -> str:
    """The text of an answer file with these choices.

    Disks get their short names ("sda") in place of this machine's serial numbers.
    """
    names = value_at(draft, ("disk-setup", "disk-list")) or []
    shown = with_value(
        draft, ("disk-setup", "disk-list"), [_short_name(name, inventory) for name in names]
    )
    document = tomlkit.document()
    for comment in COMMENTS:
        document.add(tomlkit.comment(comment))
    document.add(tomlkit.nl())
    for key, value in shown.items():
        document.add(key, tomlkit.item(value))
    return tomlkit.dumps(document)


def _short_name(name: str, inventory: Inventory) -> str:
    return next((disk.name for disk in inventory.disks if is_named(disk, name)), name)
