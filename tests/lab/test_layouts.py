"""Every layout boots in BIOS and UEFI, also without a disk it may lose; a new disk heals it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from tests.lab.answers import answer
from tests.lab.arguments import Accelerator
from tests.lab.conftest import LAB, empty_folder
from tests.lab.install import (
    LOGIN_LIMIT,
    InstalledNode,
    install,
    node_spec,
    wait_until_ready,
)
from tests.lab.layouts import LAYOUTS
from tests.lab.spec import Disk, FirmwareName
from tests.lab.ssh import Key

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

FIRMWARE: tuple[FirmwareName, ...] = ("bios", "uefi")
REDUNDANT = [name for name in LAYOUTS if "raid" in name and not name.endswith("raid0")]
CELLS = [(layout, firmware) for layout in LAYOUTS for firmware in FIRMWARE]
NEW = Disk("new", serial="LAB-new")
NEW_DEVICE = "/dev/disk/by-id/virtio-LAB-new"
# Seconds: the copy of a new disk, and the end of a system with much to write out.
COPY_LIMIT = 1800
POWER_OFF_LIMIT = 300


@dataclass(frozen=True)
class Cell:
    """One layout in one firmware, installed and never changed by a test; logs: a folder."""

    node: InstalledNode
    logs: Path

    def copy(self, folder: Path, *, without: str, extra: tuple[Disk, ...] = ()) -> InstalledNode:
        """The same machine as it was installed, without one of its disks."""
        disks = tuple(
            replace(disk, backing=self.node.home / f"{disk.name}.qcow2")
            for disk in self.node.spec.disks
            if disk.name != without
        )
        home = folder / "disks"
        home.mkdir()
        variables = self.node.home / "firmware-variables.qcow2"
        if variables.exists():
            shutil.copy(variables, home)
        return replace(self.node, home=home, spec=replace(self.node.spec, disks=(*disks, *extra)))


@pytest.fixture(scope="module")
def cell(
    request: pytest.FixtureRequest, built_iso: Path, accelerator: Accelerator, key: Key
) -> Iterator[Cell]:
    """Its seconds from power-on are left in out/lab/layout-<cell>/seconds.json."""
    layout, firmware = cast(tuple[str, FirmwareName], request.param)
    logs = empty_folder(f"layout-{layout}-{firmware}")
    spec = node_spec(f"{layout}-{firmware}", firmware, LAYOUTS[layout])
    wanted = answer(LAYOUTS[layout], key.public)
    node, power_on = install(spec, wanted, built_iso, key, accelerator, logs)
    with node.boot(logs / "boot", power_on=power_on) as machine:
        seconds = node.seconds | wait_until_ready(machine)
        node.ssh.wait_until_up(LOGIN_LIMIT)
        assert "degraded" not in node.ssh.output("slipway", "status")
        assert node.ssh.run(["slipway", "boot", "status"], check=False).status == 0
        pools = set(node.ssh.output("virsh", "pool-list", "--name").split())
        own = {"local", "local-zfs"} if layout.startswith("zfs") else {"local"}
        assert pools == own | {pool["name"] for pool in LAYOUTS[layout].pools}
        power_off(node)
        machine.wait_for_power_off(POWER_OFF_LIMIT)
    (logs / "seconds.json").write_text(json.dumps(seconds, indent=2) + "\n")
    yield Cell(node, logs)
    shutil.rmtree(node.home)


def power_off(node: InstalledNode) -> None:
    """The login may end before the command answers."""
    node.ssh.run(["systemctl", "--no-block", "poweroff"], check=False)


def cells(layouts: list[str]) -> pytest.MarkDecorator:
    chosen = [(layout, firmware) for layout, firmware in CELLS if layout in layouts]
    names = [f"{layout}-{firmware}" for layout, firmware in chosen]
    return pytest.mark.parametrize("cell", chosen, ids=names, indirect=True)


# The others become ready on their way to the tests below.
@cells([name for name in LAYOUTS if name not in REDUNDANT])
def test_a_layout_becomes_ready(cell: Cell) -> None:
    seconds = json.loads((cell.logs / "seconds.json").read_text())
    assert seconds["installed"] < seconds["ready"]


@cells(REDUNDANT)
def test_any_disk_may_be_missing(cell: Cell) -> None:
    for disk in cell.node.spec.disks:
        folder = LAB / cell.logs.name / f"without-{disk.name}"
        folder.mkdir()
        node = cell.copy(folder, without=disk.name)
        with node.boot(folder) as machine:
            wait_until_ready(machine)
            node.ssh.wait_until_up(LOGIN_LIMIT)
            assert "is degraded" in node.ssh.output("slipway", "status")
        shutil.rmtree(node.home)


@cells(REDUNDANT)
def test_a_new_disk_carries_the_node(cell: Cell) -> None:
    """The first disk is replaced; then the machine starts without the second."""
    first, second = cell.node.spec.disks[:2]
    folder = LAB / cell.logs.name / "replaced"
    folder.mkdir()
    node = cell.copy(folder, without=first.name, extra=(NEW,))
    with node.boot(folder / "degraded") as machine:
        wait_until_ready(machine)
        node.ssh.wait_until_up(LOGIN_LIMIT)
        node.ssh.run(["slipway", "disk", "replace", "missing", NEW_DEVICE], limit=COPY_LIMIT)
        assert node.ssh.run(["slipway", "boot", "status"], check=False).status == 0
        node.ssh.run(["systemctl", "restart", "slipway-agent"])
        assert "degraded" not in node.ssh.output("slipway", "status")
        power_off(node)
        machine.wait_for_power_off(POWER_OFF_LIMIT)
    left = tuple(disk for disk in node.spec.disks if disk.name != second.name)
    healed = replace(node, spec=replace(node.spec, disks=left))
    with healed.boot(folder / "without-the-second") as machine:
        wait_until_ready(machine)
        node.ssh.wait_until_up(LOGIN_LIMIT)
        assert "is degraded" in node.ssh.output("slipway", "status")
    shutil.rmtree(node.home)
