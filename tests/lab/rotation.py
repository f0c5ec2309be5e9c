"""Which part of the matrix a commit's CI runs: by its hash, so always the same.

Each run installs `ALWAYS` in one firmware, and one of the other layouts in the other firmware.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.core.command import run
from tests.lab import iso
from tests.lab.cells import FIRMWARE
from tests.lab.layouts import LAYOUTS, REDUNDANT
from tests.lab.spec import FirmwareName

ALWAYS = "lvm-ext4"
CELLS = [(layout, firmware) for layout in LAYOUTS if layout != ALWAYS for firmware in FIRMWARE]


@dataclass(frozen=True)
class Part:
    """A layout in one firmware, and the disk that it is started without ("" for all disks)."""

    layout: str
    firmware: FirmwareName
    pulled: str

    def __str__(self) -> str:
        words = f"{self.layout} in {self.firmware}"
        return f"{words}, without {self.pulled}" if self.pulled else words

    @property
    def other_firmware(self) -> FirmwareName:
        """The firmware in which this run installs `ALWAYS`."""
        return "bios" if self.firmware == "uefi" else "uefi"


def part_for(commit: str) -> Part:
    """The part for a commit. commit: its hash, in hexadecimal digits."""
    number = int(commit, 16)
    layout, firmware = CELLS[number % len(CELLS)]
    starts = ("", *LAYOUTS[layout].disks) if layout in REDUNDANT else ("",)
    return Part(layout, firmware, starts[number // len(CELLS) % len(starts)])


def part_of_this_commit() -> Part:
    """The part for the commit that is checked out."""
    # The checkout may belong to another user than the one who tests.
    git = ["git", "-c", "safe.directory=*", "-C", str(iso.CHECKOUT)]
    return part_for(run([*git, "rev-parse", "HEAD"]).stdout)
