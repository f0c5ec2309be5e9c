"""What people do with virtual machines, on a node with LVM and on one with ZFS."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from tests.lab.answers import answer
from tests.lab.arguments import Accelerator
from tests.lab.conftest import LAB, RunningNode, empty_folder
from tests.lab.guests import Guests
from tests.lab.install import LOGIN_LIMIT, install, node_spec, wait_until_ready
from tests.lab.layouts import LAYOUTS
from tests.lab.ssh import Key
from tests.lab.tiny_guest import make_initrd

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

IMAGES = "/var/lib/libvirt/images"
DISK = f"{IMAGES}/base.qcow2"
MIB = 1 << 20
# A volume as Cockpit asks for it: without an allocation.
COCKPITS_VOLUME = "<volume><name>{}</name><capacity unit='MiB'>512</capacity></volume>"


@dataclass(frozen=True)
class Host:
    """A node that has the guest `base`, and its layout."""

    node: RunningNode
    layout: str
    guests: Guests

    @property
    def on_zfs(self) -> bool:
        return self.layout.startswith("zfs")

    def run(self, *argv: str, limit: float = 120) -> str:
        return self.node.ssh.run(argv, limit=limit).stdout.strip()


@pytest.fixture(scope="session")
def initrd(built_iso: Path) -> Path:
    return make_initrd(built_iso, empty_folder("tiny-guest"))


@pytest.fixture(scope="module", params=["lvm-ext4", "zfs-raid0"])
def host(
    request: pytest.FixtureRequest,
    built_iso: Path,
    accelerator: Accelerator,
    key: Key,
    initrd: Path,
) -> Iterator[Host]:
    layout = cast(str, request.param)
    logs = empty_folder(f"guests-{layout}")
    spec = replace(node_spec(f"guests-{layout}", "bios", LAYOUTS[layout]), memory_mib=4096)
    made, _ = install(spec, answer(LAYOUTS[layout], key.public), built_iso, key, accelerator, logs)
    with made.boot(logs / "boot") as machine:
        wait_until_ready(machine)
        made.ssh.wait_until_up(LOGIN_LIMIT)
        guests = Guests(made.ssh)
        guests.prepare(initrd)
        guests.create("base", "size=0.25,format=qcow2")
        yield Host(RunningNode(made, machine, logs), layout, guests)
    shutil.rmtree(LAB / f"guests-{layout}" / "disks")


@pytest.fixture
def other(host: Host) -> Iterator[list[str]]:
    """Names of guests that a test makes; they are removed after it."""
    names: list[str] = []
    yield names
    host.guests.remove(names)


def test_a_disk_of_virt_install_is_thin(host: Host) -> None:
    source = host.guests.virsh("domblklist", "base").split()[-1]
    assert source == DISK
    capacity = int(host.run("qemu-img", "info", "-U", "--output=json", DISK).count("virtual-size"))
    assert capacity == 1
    used = int(host.run("stat", "--format=%b", DISK)) * 512
    assert used < 32 * MIB
    kind = host.run("findmnt", "--noheadings", "--output=FSTYPE,SOURCE", IMAGES).split()
    assert kind == (
        ["zfs", "rpool/data/images"] if host.on_zfs else ["xfs", "/dev/mapper/slipway-images"]
    )
    if not host.on_zfs:
        assert host.run("lvs", "--noheadings", "-o", "segtype", "slipway/images") == "thin"


def test_hardware_virtualization_is_used(host: Host) -> None:
    assert "<domain type='kvm'" in host.guests.virsh("dumpxml", "base")


def test_volumes_of_zfs_are_sparse(host: Host, other: list[str]) -> None:
    if not host.on_zfs:
        pytest.skip("only a node with ZFS has such a pool")
    host.node.ssh.run(
        ["virsh", "vol-create", "local-zfs", "/dev/stdin"], input=COCKPITS_VOLUME.format("cockpit")
    )
    other.append("zvol")
    host.guests.create("zvol", "pool=local-zfs,size=0.25")
    host.run("udevadm", "settle")
    columns = ("-r", "-H", "-p", "-t", "volume", "-o", "refreservation")
    assert set(host.run("zfs", "list", *columns, "rpool/data").split()) == {"0"}
    host.guests.write("zvol", "thin")
    assert host.guests.read("zvol") == "thin"
    host.guests.virsh("vol-delete", "--pool", "local-zfs", "cockpit")


def test_snapshot_with_memory(host: Host) -> None:
    guests = host.guests
    guests.write("base", "first")
    guests.run("base", "marker=first")
    guests.virsh("snapshot-create-as", "base", "alive")
    guests.write("base", "second")
    guests.run("base", "marker=second")
    guests.virsh("snapshot-revert", "base", "alive")
    assert guests.run("base", "echo $marker") == "first"
    assert guests.read("base") == "first"
    guests.virsh("snapshot-delete", "base", "alive")


def test_snapshot_without_memory(host: Host) -> None:
    guests = host.guests
    guests.write("base", "first")
    guests.virsh("destroy", "base")
    guests.virsh("snapshot-create-as", "base", "asleep")
    guests.start("base")
    guests.write("base", "second")
    guests.virsh("snapshot-revert", "base", "asleep")
    assert guests.virsh("domstate", "base") == "shut off"
    guests.start("base")
    assert guests.read("base") == "first"
    guests.virsh("snapshot-delete", "base", "asleep")


def test_linked_and_full_clone(host: Host, other: list[str]) -> None:
    guests = host.guests
    guests.write("base", "template")
    guests.virsh("destroy", "base")
    other += ["linked", "full"]
    guests.create("linked", f"size=0.25,backing_store={DISK},backing_format=qcow2")
    clone = ["virt-clone", "--original", "base", "--name", "full", "--auto-clone", "--quiet"]
    host.run(*clone, limit=300)
    host.run("virt-xml", "full", "--edit", "--serial", "log.file=/run/guests/full.log")
    guests.start("full")
    for name in ("linked", "full"):
        assert guests.read(name) == "template"
        guests.write(name, name)
        assert guests.read(name) == name
    chain = host.run("qemu-img", "info", "-U", "--backing-chain", f"{IMAGES}/linked.qcow2")
    assert f"backing file: {DISK}" in chain
    assert "backing file" not in host.run("qemu-img", "info", "-U", f"{IMAGES}/full.qcow2")
    guests.start("base")
    assert guests.read("base") == "template"


def test_backup_and_restore(host: Host, other: list[str]) -> None:
    guests, place = host.guests, "/srv/backups"
    host.run("mkdir", "-p", place)
    guests.write("base", "saved")
    for _ in range(3):
        host.run("slipway", "backup", "run", "base", "--to", place, "--keep", "2", limit=300)
    times = host.run("ls", f"{place}/vm/base").split()
    assert len(times) == 2
    assert guests.virsh("domstate", "base") == "running"
    guests.write("base", "lost")
    other.append("back")
    host.run("slipway", "backup", "restore", "base", "--from", place, "--as", "back", limit=300)
    used = int(host.run("stat", "--format=%b", f"{IMAGES}/back-vda.qcow2")) * 512
    assert used < 32 * MIB
    host.run("virt-xml", "back", "--edit", "--serial", "log.file=/run/guests/back.log")
    guests.start("back")
    assert guests.read("back") == "saved"
    assert guests.read("base") == "lost"


def test_a_scheduled_backup(host: Host) -> None:
    place = "/srv/scheduled"
    host.run("mkdir", "-p", place)
    words = ("base", "--to", place, "--on", "*-*-* *:*:00")
    host.run("slipway", "backup", "schedule", "often", *words)
    host.run("systemctl", "start", "slipway-backup-often.service", limit=300)
    assert "base" in host.run("slipway", "backup", "list", "--from", place)
    assert host.run("systemctl", "is-active", "slipway-backup-often.timer") == "active"
    host.run("slipway", "backup", "schedule", "often", "--remove")
    assert host.run("sh", "-c", "ls /etc/systemd/system/slipway-backup-* | wc -l") == "0"
