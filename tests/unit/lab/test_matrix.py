"""What the two firmwares share of the matrix of layouts."""

from __future__ import annotations

import pytest

from tests.lab.cells import FIRMWARE
from tests.lab.layouts import LAYOUTS, REDUNDANT
from tests.lab.test_layouts import checks

ONCE = {"taken-over"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_disk_is_lost_once_and_each_firmware_loses_one(layout: str) -> None:
    names = [name for firmware in FIRMWARE for name in checks(layout, firmware)]
    lost = sorted(name for name in names if name not in {"ready", *ONCE})
    others = LAYOUTS[layout].disks[1:] if layout in REDUNDANT else ()
    assert lost == sorted([f"without-{disk}" for disk in others] + ["replaced"] * bool(others))
    assert names.count("ready") == len(FIRMWARE)
    if others:
        assert all(len(checks(layout, firmware)) > 1 for firmware in FIRMWARE)


def test_a_new_disk_takes_over_in_every_mirror() -> None:
    for layout in REDUNDANT:
        found = [firmware for firmware in FIRMWARE if "taken-over" in checks(layout, firmware)]
        assert len(found) == (1 if layout.endswith("raid1") else 0)
