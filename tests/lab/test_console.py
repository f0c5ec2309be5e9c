"""A node installed by hand, as a person would: on the serial line, the screen and over SSH."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.lab.arguments import Accelerator
from tests.lab.install import (
    LOGIN_LIMIT,
    REBOOT_LIMIT,
    SSH_PORT,
    InstalledNode,
    node_spec,
    wait_until_ready,
)
from tests.lab.layouts import LAYOUTS, Layout
from tests.lab.machine import Machine
from tests.lab.person import AtScreen, AtSerialLine, OverSsh, Person
from tests.lab.spec import Medium
from tests.lab.ssh import Key

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

START_LIMIT = 900.0
INSTALL_LIMIT = 1200.0
PASSWORD = "correct horse 9"
PAGES = ("1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7")


@dataclass(frozen=True)
class Live:
    """The installer in a machine without an answer file."""

    machine: Machine
    node: InstalledNode
    layout: Layout


def live(
    name: str, layout: Layout, iso: Path, accelerator: Accelerator, key: Key, folder: Path
) -> Iterator[Live]:
    spec = node_spec(name, "uefi", layout)
    home = folder / "disks"
    started = replace(spec, media=(Medium(iso),), stop_at_reboot=True)
    with Machine(started, home, folder / "install", accelerator) as machine:
        yield Live(machine, InstalledNode(spec, home, key, accelerator, {}), layout)


@pytest.fixture
def lvm(built_iso: Path, accelerator: Accelerator, key: Key, folder: Path) -> Iterator[Live]:
    yield from live("console", LAYOUTS["lvm-ext4"], built_iso, accelerator, key, folder)


@pytest.fixture
def zfs(built_iso: Path, accelerator: Accelerator, key: Key, folder: Path) -> Iterator[Live]:
    yield from live("console", LAYOUTS["zfs-raid1"], built_iso, accelerator, key, folder)


def next_page(person: Person, page: str) -> None:
    person.press("f9")
    person.wait_for(page)


def choices(person: Person, live: Live, *, photograph: bool = False) -> None:
    """From the first page to the last one."""
    photos = AtScreen(live.machine)

    def done(name: str) -> None:
        if photograph:
            photos.photograph(name)

    person.wait_for("1/7", START_LIMIT)
    person.wait_for("Network")
    done("1-hardware")
    next_page(person, "2/7")
    if live.layout is LAYOUTS["zfs-raid1"]:
        person.choose("Layout", "ZFS mirror")
        person.go_to("vdb")
        person.press("space")
        person.wait_for("/dev/vdb  40 GiB: ALL OF IT IS ERASED")
    done("2-disks")
    next_page(person, "3/7")
    person.choose("Country", "austria")
    person.wait_for("Europe/Vienna")
    # The keyboard here is American, whatever the country.
    person.choose("Keyboard", "american")
    done("3-location")
    next_page(person, "4/7")
    person.go_to("Password")
    person.press(PASSWORD, "tab", PASSWORD)
    person.go_to("Add an SSH key")
    person.press(live.node.key.public)
    person.wait_for("Add this key")
    person.press("tab", "enter")
    person.wait_for("[X] ssh-ed25519")
    done("4-root")
    next_page(person, "5/7")
    person.wait_for("10.0.2.15/24")
    person.wait_for("link up")
    person.replace("Name with domain", "hand.lab.example.org")
    person.wait_for("hand.lab.example.org")
    done("5-network")
    next_page(person, "6/7")
    done("6-cluster")
    next_page(person, "7/7")
    person.wait_for("ERASED")
    done("7-summary")


def confirm(person: Person) -> None:
    person.go_to('Type "erase"')
    person.press("erase")
    person.wait_for("Install now")
    person.press("tab", "enter")
    person.wait_for("Installing")


def finish(person: Person, live: Live, folder: Path) -> None:
    """Restart, and wait until the node is ready."""
    person.go_to("Restart")
    person.press("enter")
    live.machine.wait_for_reset(REBOOT_LIMIT)
    live.machine.stop()
    with live.node.boot(folder / "boot") as machine:
        wait_until_ready(machine)
        ssh = live.node.ssh
        ssh.wait_until_up(LOGIN_LIMIT)
        assert ssh.output("hostname", "-f") == "hand.lab.example.org"
        assert json.loads(ssh.output("slipway", "status", "--json"))["ready"] is True
        filesystem = ssh.output("findmnt", "-no", "FSTYPE", "/")
        assert filesystem == live.layout.disk_setup["filesystem"]


def shell(person: Person) -> None:
    """From any page to a shell on this terminal."""
    person.press("f10")
    person.go_to("Shell")
    person.press("enter")
    person.wait_for("exit leads back")


def test_a_node_by_hand_on_the_serial_line(lvm: Live, folder: Path) -> None:
    """With the screen and SSH beside it, which see the same, die, and do not matter."""
    machine, serial, screen = lvm.machine, AtSerialLine(lvm.machine), AtScreen(lvm.machine)
    choices(serial, lvm)
    serial.press("f10")
    found = re.search(r"SSH: root@10\.0\.2\.15 +password: (\w+)", serial.wait_for("password: "))
    assert found
    serial.press("f8")
    ssh = OverSsh(lvm.node.spec.forwarded(SSH_PORT), found[1])
    ssh.wait_for("1/7")
    for page in PAGES[1:5]:
        next_page(ssh, page)
    # What one terminal changes, the others show.
    ssh.replace("Name with domain", "other.lab.example.org")
    assert "other.lab.example.org" in serial.wait_for("other.lab.example.org")
    ssh.replace("Name with domain", "hand.lab.example.org")
    serial.wait_for("Plan for hand.lab.example.org")
    confirm(serial)
    assert "Installing" in ssh.wait_for("Installing")
    screen.photograph("8-installing-untouched")
    # Nobody has to look: one front end is killed, one loses its connection, one becomes a shell.
    ssh.wait_for("unpack node.squashfs", INSTALL_LIMIT)
    ssh.hang_up()
    shell(serial)
    status, _said = machine.serial.run("systemctl kill --signal=KILL getty@tty1.service", 60)
    assert status == 0
    screen.wait_for("Installing")
    screen.photograph("8-installing")
    machine.serial.send("exit\n")
    serial.wait_for("Installing")
    serial.wait_for("The node is installed", INSTALL_LIMIT)
    assert "https://10.0.2.15:9090/" in serial.text()
    screen.photograph("9-done")
    finish(serial, lvm, folder)


def test_a_zfs_mirror_by_hand_on_the_screen(zfs: Live, folder: Path) -> None:
    serial, screen = AtSerialLine(zfs.machine), AtScreen(zfs.machine)
    serial.wait_for("1/7", START_LIMIT)
    # The shell on the serial line is the eye of this test.
    shell(serial)
    choices(screen, zfs, photograph=True)
    confirm(screen)
    screen.photograph("8-installing")
    screen.wait_for("The node is installed", INSTALL_LIMIT)
    screen.photograph("9-done")
    finish(screen, zfs, folder)
