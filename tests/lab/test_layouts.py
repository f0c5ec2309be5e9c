"""Every layout boots in BIOS and UEFI, also without a disk it may lose; a new disk heals it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.lab.cells import (
    FIRMWARE,
    Cell,
    a_new_disk_carries_it,
    a_new_disk_takes_over,
    becomes_ready,
    install_cell,
    starts_without,
)
from tests.lab.conftest import empty_folder
from tests.lab.errors import LabError
from tests.lab.installer import Installer
from tests.lab.layouts import LAYOUTS, REDUNDANT
from tests.lab.spec import FirmwareName

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

Check = Callable[[Cell], None]


def checks(layout: str, firmware: FirmwareName) -> dict[str, Check]:
    """What is tested of a layout in one firmware, by name.

    The firmwares take turns in losing the disks, and begin with another one in the next layout.
    The loss of the first disk is part of `replaced`.
    """
    found: dict[str, Check] = {"ready": becomes_ready}
    if layout not in REDUNDANT:
        return found
    turn = REDUNDANT.index(layout) + FIRMWARE.index(firmware)
    for number, disk in enumerate(LAYOUTS[layout].disks):
        if (turn + number) % len(FIRMWARE):
            continue
        if number == 0:
            found["replaced"] = a_new_disk_carries_it
        else:
            found[f"without-{disk}"] = partial(starts_without, pulled=disk)
    if layout.endswith("raid1") and "replaced" not in found:
        found["taken-over"] = a_new_disk_takes_over
    return found


CHECKS = [
    pytest.param(layout, firmware, check, id=f"{layout}-{firmware}-{name}")
    for layout in LAYOUTS
    for firmware in FIRMWARE
    for name, check in checks(layout, firmware).items()
]


class Cells:
    """Installs a cell when its first check comes, and keeps it until the next cell's."""

    def __init__(self, installer: Installer) -> None:
        self.installer = installer
        self.last: Cell | None = None
        self.tried = ""

    def get(self, layout: str, firmware: FirmwareName) -> Cell:
        """The cell; its seconds are in out/lab/layout-<cell>/seconds.json.

        Raises LabError at once when its installation has failed before.
        """
        name = f"layout-{layout}-{firmware}"
        if self.last is None or self.last.logs.name != name:
            self.drop()
            if name == self.tried:
                raise LabError("the installation failed in an earlier check", where=name)
            self.tried = name
            logs = empty_folder(name)
            self.last = install_cell(layout, firmware, self.installer, logs)
        return self.last

    def drop(self) -> None:
        """Remove the disks of the last cell."""
        if self.last:
            shutil.rmtree(self.last.node.home)
        self.last = None


@pytest.fixture(scope="module")
def cells(installer: Installer) -> Iterator[Cells]:
    made = Cells(installer)
    yield made
    made.drop()


@pytest.mark.parametrize(("layout", "firmware", "check"), CHECKS)
def test_layout(layout: str, firmware: FirmwareName, check: Check, cells: Cells) -> None:
    check(cells.get(layout, firmware))
