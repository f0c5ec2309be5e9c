"""The ISO starts the installer from CD and from a USB stick, in every firmware."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from tests.lab.arguments import Accelerator
from tests.lab.install import INSTALLER_MILESTONES, Milestone
from tests.lab.machine import Machine
from tests.lab.rotation import part_of_this_commit
from tests.lab.spec import FirmwareName, MachineSpec, Medium

pytestmark = pytest.mark.lab

STARTED: Milestone = INSTALLER_MILESTONES[0]
CELLS = [(name, kind) for name in ("bios", "uefi", "uefi-sb") for kind in ("cdrom", "usb")]
# A plain run installs from the CD in both firmwares, and starts one stick beside it.
STICKS = {"bios": ("bios", "usb"), "uefi": ("uefi-sb", "usb")}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = STICKS[part_of_this_commit().firmware]
    cells = [
        pytest.param(*cell, marks=() if cell == chosen else pytest.mark.matrix) for cell in CELLS
    ]
    metafunc.parametrize(("firmware", "kind"), cells)


def test_the_installer_starts(
    firmware: FirmwareName,
    kind: Literal["cdrom", "usb"],
    built_iso: Path,
    accelerator: Accelerator,
    folder: Path,
) -> None:
    spec = MachineSpec("media", firmware, media=(Medium(built_iso, kind),))
    with Machine(spec, folder / "disks", folder, accelerator) as machine:
        machine.serial.wait_for(STARTED.line, STARTED.limit, repr(STARTED.line))
        if firmware == "uefi-sb":
            log = [line.text for line in machine.serial.lines]
            assert any("Secure boot enabled" in line for line in log)
