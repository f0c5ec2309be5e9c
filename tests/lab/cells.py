"""A layout in one firmware: installed once, then started on copies of its disks.

So each start is the node's first: with all disks, and without one.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.lab.answers import answer
from tests.lab.install import (
    LOGIN_LIMIT,
    InstalledNode,
    power_off,
    wait_until_ready,
)
from tests.lab.installer import Installer
from tests.lab.layouts import LAYOUTS
from tests.lab.spec import Disk, FirmwareName

FIRMWARE: tuple[FirmwareName, ...] = ("bios", "uefi")
NEW = Disk("new", serial="LAB-new")
NEW_DEVICE = "/dev/disk/by-id/virtio-LAB-new"
EFI_VARIABLES = "/sys/firmware/efi/efivars"
# Seconds: ZFS, md or btrfs copies to a new disk.
COPY_LIMIT = 1800


@dataclass(frozen=True)
class Cell:
    """An installed node that was never started, and whose disks no test changes.

    layout: its name; logs: a folder.
    """

    layout: str
    node: InstalledNode
    logs: Path

    @contextmanager
    def copy(
        self, name: str, *, without: str = "", extra: tuple[Disk, ...] = ()
    ) -> Iterator[Start]:
        """The same machine as it was installed, without one of its disks.

        name: of a folder for logs; what is written meanwhile is lost at the end.
        """
        folder = self.logs / name
        shutil.rmtree(folder, ignore_errors=True)
        home = folder / "disks"
        home.mkdir(parents=True)
        variables = self.node.home / "firmware-variables.qcow2"
        if variables.exists():
            shutil.copy(variables, home)
        disks = tuple(
            replace(disk, backing=self.node.home / f"{disk.name}.qcow2")
            for disk in self.node.spec.disks
            if disk.name != without
        )
        spec = replace(self.node.spec, disks=(*disks, *extra))
        try:
            yield Start(self, replace(self.node, home=home, spec=spec), folder)
        finally:
            shutil.rmtree(home)

    def record(self, name: str, seconds: float) -> None:
        """Note in seconds.json how long something took."""
        path = self.logs / "seconds.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(known | {name: seconds}, indent=2) + "\n")


@dataclass(frozen=True)
class Start:
    """A copy of a cell's machine that is about to start. folder: for logs."""

    cell: Cell
    node: InstalledNode
    folder: Path


def install_cell(layout: str, firmware: FirmwareName, installer: Installer, logs: Path) -> Cell:
    """Install a layout. logs: an empty folder; gets `disks/`, and in seconds.json the seconds of
    everything that is done with the cell.
    """
    wanted = answer(LAYOUTS[layout], installer.key.public)
    name = f"{layout}-{firmware}"
    cell = Cell(layout, installer.install(name, firmware, LAYOUTS[layout], wanted, logs), logs)
    cell.record("installed", cell.node.seconds["installed"])
    return cell


def becomes_ready(cell: Cell) -> None:
    """The node starts with all its disks, has the pools that it should have, and is healthy."""
    with cell.copy("ready") as start, start.node.boot(start.folder / "boot") as machine:
        cell.record("ready", wait_until_ready(machine)["ready"])
        ssh = start.node.ssh
        ssh.wait_until_up(LOGIN_LIMIT)
        assert "degraded" not in ssh.output("slipway", "status")
        assert ssh.run(["slipway", "boot", "status"], check=False).status == 0
        pools = set(ssh.output("virsh", "pool-list", "--name").split())
        own = {"local", "local-zfs"} if cell.layout.startswith("zfs") else {"local"}
        assert pools == own | {pool["name"] for pool in LAYOUTS[cell.layout].pools}


def starts_without(cell: Cell, pulled: str) -> None:
    """The node becomes ready without the disk, and says that it is degraded."""
    with cell.copy(f"without-{pulled}", without=pulled) as start:
        start_degraded(start, start.node, f"without {pulled}")


def start_degraded(start: Start, node: InstalledNode, name: str) -> None:
    """Start the node on disks of which one is missing. name: for its seconds to ready."""
    with node.boot(start.folder / name.replace(" ", "-")) as machine:
        start.cell.record(name, wait_until_ready(machine)["ready"])
        node.ssh.wait_until_up(LOGIN_LIMIT)
        assert "is degraded" in node.ssh.output("slipway", "status")


def a_new_disk_carries_it(cell: Cell) -> None:
    """Without the first disk the node starts; a new one takes its place; then it starts without
    the second.
    """
    first, second = cell.node.spec.disks[:2]
    with cell.copy("replaced", without=first.name, extra=(NEW,)) as start:
        node = start.node
        with node.boot(start.folder / "degraded") as machine:
            cell.record(f"without {first.name}", wait_until_ready(machine)["ready"])
            node.ssh.wait_until_up(LOGIN_LIMIT)
            assert "is degraded" in node.ssh.output("slipway", "status")
            node.ssh.run(["slipway", "disk", "replace", "missing", NEW_DEVICE], limit=COPY_LIMIT)
            assert_healthy(node)
            power_off(node, machine)
        left = tuple(disk for disk in node.spec.disks if disk.name != second.name)
        healed = replace(node, spec=replace(node.spec, disks=left))
        start_degraded(start, healed, f"replaced, without {second.name}")


def a_new_disk_takes_over(cell: Cell) -> None:
    """The first disk of a mirror works and is replaced; the new one carries the node alone, also
    when the firmware takes no entry for it.
    """
    first = cell.node.spec.disks[0]
    with cell.copy("taken-over", extra=(NEW,)) as start:
        node = start.node
        with node.boot(start.folder / "all") as machine:
            wait_until_ready(machine)
            node.ssh.wait_until_up(LOGIN_LIMIT)
            old = f"/dev/disk/by-id/virtio-{first.serial}"
            uefi = node.spec.firmware == "uefi"
            if uefi:
                node.ssh.run(["mount", "-o", "remount,ro", EFI_VARIABLES])
            replaced = ["slipway", "disk", "replace", old, NEW_DEVICE]
            said = node.ssh.run(replaced, limit=COPY_LIMIT).stdout
            assert ("the firmware took no boot entry" in said) is uefi
            assert_healthy(node)
            power_off(node, machine)
        alone = replace(node, spec=replace(node.spec, disks=node.spec.disks[-1:]))
        start_degraded(start, alone, "the new one alone")


def assert_healthy(node: InstalledNode) -> None:
    """Nothing is degraded after a new run of the agent, and every disk is bootable."""
    assert node.ssh.run(["slipway", "boot", "status"], check=False).status == 0
    node.ssh.run(["systemctl", "restart", "slipway-agent"])
    assert "degraded" not in node.ssh.output("slipway", "status")
