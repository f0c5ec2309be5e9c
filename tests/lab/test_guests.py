"""What people do with virtual machines, on a node with LVM and on one with ZFS."""

from __future__ import annotations

import json
import re

import pytest

from tests.lab.guests import LOGS
from tests.lab.host import Host

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

IMAGES = "/var/lib/libvirt/images"
DISK = f"{IMAGES}/base.qcow2"
MIB = 1 << 20
# A volume as Cockpit asks for it: without an allocation.
COCKPITS_VOLUME = "<volume><name>{}</name><capacity unit='MiB'>512</capacity></volume>"


def test_a_disk_of_virt_install_is_thin(host: Host) -> None:
    source = host.guests.virsh("domblklist", "base").split()[-1]
    assert source == DISK
    image = json.loads(host.run("qemu-img", "info", "-U", "--output=json", DISK))
    assert image["virtual-size"] == 256 * MIB
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
    host.ssh.run(
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


def test_a_volume_of_zfs_goes_back_and_is_cloned(host: Host, other: list[str]) -> None:
    if not host.on_zfs:
        pytest.skip("only a node with ZFS has such a pool")
    guests, volume = host.guests, "rpool/data/zvol"
    other += ["zvol", "zclone"]
    guests.create("zvol", "pool=local-zfs,size=0.25")
    guests.write("zvol", "first")
    guests.virsh("destroy", "zvol")
    host.run("zfs", "snapshot", f"{volume}@before")
    guests.start("zvol")
    guests.write("zvol", "second")
    guests.virsh("destroy", "zvol")
    host.run("zfs", "rollback", f"{volume}@before")
    host.run("zfs", "clone", f"{volume}@before", "rpool/data/zclone")
    guests.virsh("pool-refresh", "local-zfs")
    guests.start("zvol")
    guests.create("zclone", "vol=local-zfs/zclone")
    for name in ("zvol", "zclone"):
        assert guests.read(name) == "first"
    guests.write("zclone", "clone")
    assert guests.read("zvol") == "first"
    guests.remove(["zclone"])
    host.run("zfs", "destroy", f"{volume}@before")


def test_snapshot_with_memory(host: Host) -> None:
    guests = host.guests
    guests.write("base", "first")
    guests.run("base", "marker=first")
    with host.timed("virtual machine: snapshot with memory"):
        guests.virsh("snapshot-create-as", "base", "alive", limit=300)
    guests.write("base", "second")
    guests.run("base", "marker=second")
    with host.timed("virtual machine: rollback with memory"):
        guests.virsh("snapshot-revert", "base", "alive", limit=300)
    assert guests.run("base", "echo $marker") == "first"
    assert guests.read("base") == "first"
    guests.virsh("snapshot-delete", "base", "alive")


def test_snapshot_without_memory(host: Host) -> None:
    guests = host.guests
    guests.write("base", "first")
    guests.virsh("destroy", "base")
    with host.timed("virtual machine: snapshot without memory"):
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
    with host.timed("virtual machine: linked clone"):
        guests.create("linked", f"size=0.25,backing_store={DISK},backing_format=qcow2")
    clone = ["virt-clone", "--original", "base", "--name", "full", "--auto-clone", "--quiet"]
    with host.timed("virtual machine: full clone"):
        host.run(*clone, limit=300)
    host.run("virt-xml", "full", "--edit", "--serial", f"log.file={LOGS}/full.log")
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
        with host.timed("virtual machine: backup"):
            host.run("slipway", "backup", "run", "base", "--to", place, "--keep", "2", limit=300)
    times = host.run("ls", f"{place}/vm/base").split()
    assert len(times) == 2
    assert guests.virsh("domstate", "base") == "running"
    guests.write("base", "lost")
    other.append("back")
    with host.timed("virtual machine: restore"):
        host.run("slipway", "backup", "restore", "base", "--from", place, "--as", "back", limit=300)
    used = int(host.run("stat", "--format=%b", f"{IMAGES}/back-vda.qcow2")) * 512
    assert used < 32 * MIB
    host.run("virt-xml", "back", "--edit", "--serial", f"log.file={LOGS}/back.log")
    guests.start("back")
    assert guests.read("back") == "saved"
    assert guests.read("base") == "lost"


def test_ballooning(host: Host) -> None:
    before = free_kib(host)
    host.guests.virsh("setmem", "base", "96M", "--live")
    host.until(
        lambda: free_kib(host) < before - 16 * 1024 or None,
        60,
        "the guest to give memory back",
        where="base",
    )
    host.guests.virsh("setmem", "base", "128M", "--live")


def free_kib(host: Host) -> int:
    lines = host.guests.run("base", "cat /proc/meminfo").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemFree:"))


def test_memory_that_guests_share(host: Host, other: list[str]) -> None:
    other.append("twin")
    host.guests.create("twin", "size=0.25")
    host.run("systemctl", "enable", "--now", "ksmtuned.service")
    # ksmtuned waits until memory is short; KSM itself is asked here.
    host.run("sh", "-c", "echo 1 >/sys/kernel/mm/ksm/run")
    host.until(
        lambda: int(host.run("cat", "/sys/kernel/mm/ksm/pages_sharing")) > 1000 or None,
        180,
        "pages that guests share",
        where="KSM",
    )
    assert host.run("systemctl", "is-active", "ksmtuned.service") == "active"
    host.run("systemctl", "disable", "--now", "ksmtuned.service")
    host.run("sh", "-c", "echo 2 >/sys/kernel/mm/ksm/run")


def test_a_processor_and_memory_of_one_numa_node(host: Host, other: list[str]) -> None:
    guests = host.guests
    other.append("bound")
    guests.create("bound", "size=0.25", "--numatune", "1,mode=strict")
    guests.virsh("vcpupin", "bound", "0", "1", "--live", "--config")
    process = host.run("cat", "/run/libvirt/qemu/bound.pid")
    threads = host.run("sh", "-c", f"grep -l CPU.0/KVM /proc/{process}/task/*/comm")
    allowed = host.run("grep", "Cpus_allowed_list", threads.replace("/comm", "/status"))
    assert allowed.split()[-1] == "1"
    maps = host.run("cat", f"/proc/{process}/numa_maps").splitlines()
    # The guest's memory is what the process has most of.
    largest = max(maps, key=lambda line: int((re.search(r"anon=(\d+)", line) or [0, 0])[1]))
    assert "bind:1 " in largest and " N1=" in largest and " N0=" not in largest
    guests.virsh("numatune", "base", "--nodeset", "0", "--mode", "strict", "--config")
    assert "nodeset='0'" in guests.virsh("dumpxml", "base", "--inactive")
