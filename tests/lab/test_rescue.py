"""A node that does not start any more, and whose password nobody knows: the rescue mends it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.answers import FQDN
from tests.lab.cells import Cell, Start, install_cell
from tests.lab.conftest import empty_folder
from tests.lab.install import LOGIN_LIMIT, wait_until_ready
from tests.lab.installer import START_LIMIT, Installer
from tests.lab.layouts import LAYOUTS
from tests.lab.machine import Machine
from tests.lab.person import AtScreen, AtSerialLine
from tests.lab.spec import FirmwareName, Medium

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

MENU_LIMIT = 300.0
FIND_LIMIT = 300.0
REBOOT_LIMIT = 300.0
COMMAND_LIMIT = 120.0
PASSWORD = "battery staple 7"
HOST = FQDN.partition(".")[0]
# What becomes of the disks: with UEFI all files of the ESP are gone, with BIOS GRUB itself is.
EMPTY_ESP = "mount /dev/{0}2 /mnt && rm -rf /mnt/* && umount /mnt"
NO_GRUB = (
    "dd if=/dev/zero of=/dev/{0} bs=440 count=1 status=none"
    " && dd if=/dev/zero of=/dev/{0}1 bs=64K count=1 status=none"
)
DAMAGE: dict[FirmwareName, str] = {"uefi": EMPTY_ESP, "bios": NO_GRUB}
CELLS: list[tuple[str, FirmwareName]] = [("lvm-ext4", "uefi"), ("zfs-raid1", "bios")]


@pytest.fixture(params=CELLS, ids="-".join)
def cell(request: pytest.FixtureRequest, installer: Installer) -> Iterator[Cell]:
    layout, firmware = request.param
    made = install_cell(layout, firmware, installer, empty_folder(f"rescue-{layout}-{firmware}"))
    yield made
    shutil.rmtree(made.node.home)


def choose_rescue(serial: AtSerialLine, screen: AtScreen) -> None:
    """In the boot menu, with the machine's own keyboard."""
    serial.wait_for("rescue an installed system", MENU_LIMIT)
    screen.press("down", "down", "enter")
    serial.wait_for("Look for installed systems", START_LIMIT)


def mend(start: Start, iso: Path) -> None:
    """Start the medium on the node's disks; damage them there, and have the damage mended."""
    node = start.node
    spec = replace(node.spec, media=(Medium(iso),), stop_at_reboot=True)
    with Machine(spec, node.home, start.folder / "rescue", node.accelerator) as machine:
        serial, screen = AtSerialLine(machine), AtScreen(machine)
        choose_rescue(serial, screen)
        screen.photograph("rescue")
        serial.push("Look for installed systems")
        serial.wait_for(f"Mount {HOST}", FIND_LIMIT)
        serial.push(f"Mount {HOST}")
        serial.wait_for(f"Shell in {HOST}")
        serial.push(f"Shell in {HOST}")
        serial.wait_for("exit leads back")
        damage(machine, start)
        machine.serial.send("clear; exit\n")
        serial.push("Make the boot loader again")
        serial.wait_for("changes", COMMAND_LIMIT)
        screen.photograph("rescue-boot-loader")
        serial.go_to("New password of root")
        serial.press(PASSWORD)
        serial.push("Set the password")
        serial.wait_for("the password of root is set", COMMAND_LIMIT)
        serial.push("Restart")
        machine.wait_for_reset(REBOOT_LIMIT)


def damage(machine: Machine, start: Start) -> None:
    """In the installed system, whose shell is on the serial line."""
    kind = LAYOUTS[start.cell.layout].disk_setup["filesystem"]
    commands = {"cat /etc/hostname": HOST, "findmnt -no FSTYPE /": kind}
    for command, expected in commands.items():
        status, output = machine.serial.run(command, COMMAND_LIMIT)
        assert (status, output[-1:]) == (0, [expected]), command
    for disk in start.node.spec.disks:
        command = DAMAGE[start.node.spec.firmware].format(disk.name)
        status, output = machine.serial.run(command, COMMAND_LIMIT)
        assert status == 0, output


def test_a_damaged_node_is_mended(cell: Cell, built_iso: Path) -> None:
    with cell.copy("mended") as start:
        mend(start, built_iso)
        with start.node.boot(start.folder / "boot") as machine:
            wait_until_ready(machine)
            machine.serial.log_in("root", PASSWORD, LOGIN_LIMIT)
            status, said = machine.serial.run("slipway boot status", COMMAND_LIMIT)
            assert status == 0, said
