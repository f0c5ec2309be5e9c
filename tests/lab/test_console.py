"""A node installed by hand, as a person would: on the serial line, the screen and over SSH."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.lab.arguments import Accelerator
from tests.lab.install import LOGIN_LIMIT, SSH_PORT, InstalledNode, wait_until_ready
from tests.lab.installer import START_LIMIT, machine_of
from tests.lab.layouts import LAYOUTS, Layout
from tests.lab.machine import Machine
from tests.lab.person import AtScreen, AtSerialLine, OverSsh, Person
from tests.lab.spec import MIB, Medium
from tests.lab.ssh import Key
from tests.lab.wait import until

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

INSTALL_LIMIT = 1800.0
REBOOT_LIMIT = 300.0
PASSWORD = "correct horse 9"
NAME = "hand.lab.example.org"
PAGES = ("1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7")
UNPACKING = "unpack node.squashfs"
# Bytes a second: the node's image takes a quarter of an hour.
SLOW_DISK = MIB
KEYBOARD_LIMIT = 600.0
TOOL = "/usr/bin/unsquashfs"


@dataclass(frozen=True)
class Live:
    """The installer in a machine without an answer file."""

    machine: Machine
    node: InstalledNode
    layout: Layout


def live(
    name: str, layout: Layout, iso: Path, accelerator: Accelerator, key: Key, folder: Path
) -> Iterator[Live]:
    spec = machine_of(name, "uefi", layout)
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


def root(person: Person, key: Key) -> None:
    """Root's password and key, on the page for them."""
    person.go_to("Password")
    person.press(PASSWORD, "tab", PASSWORD)
    person.go_to("Add an SSH key")
    person.press(key.public)
    person.push("Add this key")
    # The key's last letters: none was lost on the way.
    person.wait_for(f"[X] ssh-ed25519 ...{key.public.split()[1][-24:]}")


def network(person: Person) -> None:
    """The node's name, on the page that already has what DHCP offers."""
    person.wait_for("10.0.2.15/24")
    person.wait_for("link up")
    person.replace("Name with domain", NAME)
    person.wait_for(f"[{NAME} ")


def confirm(person: Person) -> None:
    person.go_to('Type "erase"')
    person.press("erase")
    person.push("Install now")
    person.wait_for("Installing")


def finish(person: Person, live: Live, folder: Path) -> None:
    """Restart, and wait until the node is ready."""
    person.push("Restart")
    live.machine.wait_for_reset(REBOOT_LIMIT)
    live.machine.stop()
    with live.node.boot(folder / "boot") as machine:
        wait_until_ready(machine)
        ssh = live.node.ssh
        ssh.wait_until_up(LOGIN_LIMIT)
        assert ssh.output("hostname", "-f") == NAME
        assert json.loads(ssh.output("slipway", "status", "--json"))["ready"] is True
        filesystem = ssh.output("findmnt", "-no", "FSTYPE", "/")
        assert filesystem == live.layout.disk_setup["filesystem"]


def shell(person: Person) -> None:
    """From any page to a shell on this terminal."""
    person.press("f10")
    person.push("< Shell >")
    person.wait_for("exit leads back")


def test_a_node_by_hand_on_the_serial_line(lvm: Live, folder: Path) -> None:
    """With the screen and SSH beside it, which see the same, die, and do not matter."""
    machine, serial, screen = lvm.machine, AtSerialLine(lvm.machine), AtScreen(lvm.machine)
    serial.wait_for("1/7", START_LIMIT)
    for page in PAGES[1:4]:
        next_page(serial, page)
    root(serial, lvm.node.key)
    next_page(serial, "5/7")
    network(serial)
    next_page(serial, "6/7")
    next_page(serial, "7/7")
    serial.wait_for("ERASED")
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
    serial.wait_for("Plan for other.lab.example.org")
    ssh.replace("Name with domain", NAME)
    serial.wait_for(f"Plan for {NAME}")
    confirm(serial)
    ssh.wait_for("Installing")
    # Nobody has to look: one front end loses its connection, one its cable, two are killed, all
    # while the image is unpacked.
    ssh.wait_for(UNPACKING, INSTALL_LIMIT)
    machine.slow_down("vda", SLOW_DISK)
    ssh.hang_up()
    serial.pull_cable()
    serial.plug_in()
    serial.press("ctrl l")
    serial.wait_for(UNPACKING)
    shell(serial)
    screen.wait_for(UNPACKING)
    machine.serial.send("clear\n")
    serial.wait_for_end(UNPACKING)
    machine.serial.send("systemctl kill --signal=KILL getty@tty1 serial-getty@ttyS0\n")
    serial.wait_for(UNPACKING)
    shell(serial)
    screen.wait_for(UNPACKING)
    screen.photograph("8-installing")
    machine.slow_down("vda", 0)
    machine.serial.send("exit\n")
    serial.wait_for("The node is installed", INSTALL_LIMIT)
    serial.wait_for("https://10.0.2.15:9090/")
    screen.photograph("9-done")
    finish(serial, lvm, folder)


def try_keys(person: Person, typed: str, shown: str) -> None:
    """Type into the field for that until the keyboard is the one that was chosen."""

    def seen() -> bool | None:
        person.replace("Try the keyboard", typed)
        return f"[{shown}" in person.settled().line or None

    until(seen, KEYBOARD_LIMIT, f"the keyboard that makes {shown!r} of {typed!r}", where="screen")


def test_a_zfs_mirror_by_hand_on_the_screen(zfs: Live, folder: Path) -> None:
    """Every page; and one step fails and is tried again."""
    machine, serial, screen = zfs.machine, AtSerialLine(zfs.machine), AtScreen(zfs.machine)
    serial.wait_for("1/7", START_LIMIT)
    # The shell on the serial line is the eye of this test.
    shell(serial)
    choices(screen, zfs)
    aside(screen)
    machine.serial.run(f"mount --bind /bin/false {TOOL}", 60)
    confirm(screen)
    screen.wait_for("It did not work", INSTALL_LIMIT)
    screen.wait_for("During: unpack node.squashfs")
    screen.photograph("9-failed")
    screen.press("f4")
    screen.wait_for("Esc closes")
    screen.photograph("9-log")
    screen.press("esc")
    machine.serial.run(f"umount {TOOL}", 60)
    screen.push("Try the failed step again")
    screen.wait_for(UNPACKING, INSTALL_LIMIT)
    screen.photograph("8-installing")
    screen.wait_for("The node is installed", INSTALL_LIMIT)
    screen.photograph("9-done")
    finish(screen, zfs, folder)


def choices(screen: AtScreen, zfs: Live) -> None:
    """From the first page to the last one."""
    screen.wait_for("link up")
    screen.photograph("1-hardware")
    screen.press("f1")
    screen.wait_for("Esc closes")
    screen.photograph("1-help")
    screen.press("esc")
    screen.wait_for_end("Esc closes")
    next_page(screen, "2/7")
    screen.choose("Layout", "ZFS mirror")
    screen.go_to("vdb", "down")
    screen.press("space")
    screen.wait_for("/dev/vdb  40 GiB: ALL OF IT IS ERASED")
    screen.photograph("2-disks")
    next_page(screen, "3/7")
    screen.choose("Country", "austria")
    screen.wait_for("Europe/Vienna")
    # The keyboard is German then, at once; but here it is an American one.
    try_keys(screen, "yz", "zy")
    screen.go_to("Keyboard")
    screen.press("enter")
    screen.wait_for("Search")
    screen.photograph("3-list")
    screen.press("american", "enter")
    try_keys(screen, "yz", "yz")
    screen.photograph("3-location")
    next_page(screen, "4/7")
    root(screen, zfs.node.key)
    screen.photograph("4-root")
    next_page(screen, "5/7")
    network(screen)
    screen.photograph("5-network")
    next_page(screen, "6/7")
    screen.photograph("6-cluster")
    next_page(screen, "7/7")
    screen.wait_for("ERASED")
    screen.photograph("7-summary")


def aside(screen: AtScreen) -> None:
    """The menu and what it leads to, and back to the page that it was opened on."""
    screen.press("f10")
    screen.wait_for("Switch off")
    screen.photograph("menu")
    screen.push("Save the choices")
    screen.push("Show the text")
    screen.wait_for(NAME)
    screen.photograph("answer-file")
    screen.push("Show as a QR code")
    screen.wait_for_end("Show the text")
    screen.photograph("answer-file-qr")
    screen.press("f8")
    screen.wait_for("Show the text")
    screen.press("f8")
    screen.wait_for("7/7")
