"""Every layout boots in BIOS and UEFI, also without a disk it may lose; a new disk heals it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.lab.arguments import Accelerator
from tests.lab.cells import (
    FIRMWARE,
    Cell,
    a_new_disk_carries_it,
    a_new_disk_takes_over,
    install_cell,
    starts_without,
)
from tests.lab.conftest import empty_folder
from tests.lab.errors import LabError
from tests.lab.layouts import LAYOUTS, REDUNDANT
from tests.lab.spec import FirmwareName
from tests.lab.ssh import Key

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

Check = Callable[[Cell], None]


def becomes_ready(cell: Cell) -> None:
    """The cell's installation has seen to that."""
    seconds = json.loads((cell.logs / "seconds.json").read_text())
    assert seconds["installed"] < seconds["ready"]


def checks(layout: str) -> dict[str, Check]:
    """What is tested of a layout, by name. The loss of the first disk is part of `replaced`."""
    if layout not in REDUNDANT:
        return {"ready": becomes_ready}
    mirror: dict[str, Check] = {}
    if layout.endswith("raid1"):
        mirror = {"taken-over": a_new_disk_takes_over}
    others = LAYOUTS[layout].disks[1:]
    pulled = {f"without-{disk}": partial(starts_without, pulled=disk) for disk in others}
    return {"ready": becomes_ready, "replaced": a_new_disk_carries_it, **pulled, **mirror}


CHECKS = [
    pytest.param(layout, firmware, check, id=f"{layout}-{firmware}-{name}")
    for layout in LAYOUTS
    for firmware in FIRMWARE
    for name, check in checks(layout).items()
]


class Cells:
    """Installs a cell when its first check comes, and keeps it until the next cell's."""

    def __init__(self, iso: Path, key: Key, accelerator: Accelerator) -> None:
        self.iso = iso
        self.key = key
        self.accelerator = accelerator
        self.last: Cell | None = None
        self.tried = ""

    def get(self, layout: str, firmware: FirmwareName) -> Cell:
        """The cell; its seconds from power-on are in out/lab/layout-<cell>/seconds.json.

        Raises LabError at once when its installation has failed before.
        """
        name = f"layout-{layout}-{firmware}"
        if self.last is None or self.last.logs.name != name:
            self.drop()
            if name == self.tried:
                raise LabError("the installation failed in an earlier check", where=name)
            self.tried = name
            logs = empty_folder(name)
            self.last = install_cell(layout, firmware, self.iso, self.key, self.accelerator, logs)
        return self.last

    def drop(self) -> None:
        """Remove the disks of the last cell."""
        if self.last:
            shutil.rmtree(self.last.node.home)
        self.last = None


@pytest.fixture(scope="module")
def cells(built_iso: Path, accelerator: Accelerator, key: Key) -> Iterator[Cells]:
    made = Cells(built_iso, key, accelerator)
    yield made
    made.drop()


@pytest.mark.parametrize(("layout", "firmware", "check"), CHECKS)
def test_layout(layout: str, firmware: FirmwareName, check: Check, cells: Cells) -> None:
    check(cells.get(layout, firmware))
