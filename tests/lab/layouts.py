"""The disk layouts that the laboratory installs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Layout:
    """disks: the names of the virtio disks it takes; disk_setup: the answer's table, without
    the choice of disks.
    """

    disks: tuple[str, ...]
    disk_setup: dict[str, Any]


LAYOUTS = {
    "lvm-ext4": Layout(("vda",), {"filesystem": "ext4"}),
    "lvm-xfs": Layout(("vda",), {"filesystem": "xfs"}),
}
