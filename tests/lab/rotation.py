"""Which part of the matrix of layouts a commit's CI runs: by its hash, so always the same."""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab.cells import FIRMWARE
from tests.lab.layouts import LAYOUTS, REDUNDANT
from tests.lab.spec import FirmwareName

# CI installs this one in both firmwares anyway.
ALWAYS = "lvm-ext4"
CELLS = [(layout, firmware) for layout in LAYOUTS if layout != ALWAYS for firmware in FIRMWARE]


@dataclass(frozen=True)
class Part:
    """A layout in one firmware, and the disk that it is started without ("" where none may go)."""

    layout: str
    firmware: FirmwareName
    pulled: str

    def __str__(self) -> str:
        words = f"{self.layout} in {self.firmware}"
        return f"{words}, then without {self.pulled}" if self.pulled else words


def part_for(commit: str) -> Part:
    """The part for a commit. commit: its hash, in hexadecimal digits."""
    number = int(commit, 16)
    layout, firmware = CELLS[number % len(CELLS)]
    disks = LAYOUTS[layout].disks
    pulled = disks[number // len(CELLS) % len(disks)] if layout in REDUNDANT else ""
    return Part(layout, firmware, pulled)
