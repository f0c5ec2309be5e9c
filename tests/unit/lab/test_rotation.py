"""The part of the matrix that a commit's CI runs."""

from __future__ import annotations

from tests.lab.layouts import LAYOUTS, REDUNDANT
from tests.lab.rotation import part_for


def test_a_commit_has_one_part() -> None:
    commit = "2812c96f00ba4c0ffee0123456789abcdef01234"
    assert part_for(commit) == part_for(f"{commit}\n")


def test_every_cell_and_every_disk_comes() -> None:
    parts = {part_for(f"{number:040x}") for number in range(500)}
    cells = {(part.layout, part.firmware) for part in parts}
    others = {name for name in LAYOUTS if name != "lvm-ext4"}
    assert cells == {(name, firmware) for name in others for firmware in ("bios", "uefi")}
    for name in REDUNDANT:
        assert {part.pulled for part in parts if part.layout == name} == {"", *LAYOUTS[name].disks}
    assert all(not part.pulled for part in parts if part.layout not in REDUNDANT)


def test_both_firmwares_are_used_in_every_run() -> None:
    for number in range(50):
        part = part_for(f"{number:040x}")
        assert {part.firmware, part.other_firmware} == {"bios", "uefi"}
