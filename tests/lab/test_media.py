"""The ISO starts the installer from CD and from a USB stick, in every firmware."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from tests.lab.arguments import Accelerator
from tests.lab.install import INSTALLER_MILESTONES, Milestone
from tests.lab.machine import Machine
from tests.lab.spec import FirmwareName, MachineSpec, Medium

pytestmark = pytest.mark.lab

STARTED: Milestone = INSTALLER_MILESTONES[0]
# The installations boot the CD in BIOS and in UEFI already.
SHORT = [("bios", "usb"), ("uefi-sb", "usb")]
LONG = [("bios", "cdrom"), ("uefi", "cdrom"), ("uefi", "usb"), ("uefi-sb", "cdrom")]


@pytest.mark.parametrize(
    ("firmware", "kind"),
    [*SHORT, *(pytest.param(*cell, marks=pytest.mark.matrix) for cell in LONG)],
)
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
