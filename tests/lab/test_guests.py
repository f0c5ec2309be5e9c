"""What people do with virtual machines, on a node with LVM and on one with ZFS."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.lab.guests import Host
from tests.lab.wait import until

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

IMAGES = "/var/lib/libvirt/images"
DISK = f"{IMAGES}/base.qcow2"
MIB = 1 << 20
# A volume as Cockpit asks for it: without an allocation.
COCKPITS_VOLUME = "<volume><name>{}</name><capacity unit='MiB'>512</capacity></volume>"


@pytest.fixture
def other(host: Host) -> Iterator[list[str]]:
    """Names of guests that a test makes; they are removed after it."""
    names: list[str] = []
    yield names
    host.guests.remove(names)


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
    host.run("slipway", "backup", "schedule", "weekly", "base", "--to", place, "--on", "Sat 03:00")
    timer = host.run("systemctl", "list-timers", "--no-legend", "slipway-backup-weekly.timer")
    assert timer.startswith("Sat ") and "03:00:00" in timer
    host.run("systemctl", "start", "slipway-backup-weekly.service", limit=300)
    assert "base" in host.run("slipway", "backup", "list", "--from", place)
    host.run("slipway", "backup", "schedule", "weekly", "--remove")
    left = host.run("find", "/etc/systemd/system", "-name", "slipway-backup-*")
    assert left == ""


def test_a_nat_network(host: Host, other: list[str]) -> None:
    host.guests.virsh("net-start", "default")
    other.append("inside")
    host.guests.create("inside", "size=0.25", network="network=default")
    assert host.guests.run("inside", "ipconfig -c dhcp eth0 >/dev/null; cat /run/net-eth0.conf")
    leased = host.guests.virsh("domifaddr", "inside").split()
    assert leased[-1].startswith("192.168.122.")
    host.guests.virsh("net-destroy", "default")


def test_a_bridge_that_knows_vlans(host: Host, other: list[str]) -> None:
    """The node's link in VLAN 20 reaches the guest in it, and not the one in VLAN 30."""
    bridge = ("type", "bridge", "ifname", "vmbr7", "con-name", "vmbr7", "bridge.stp", "no")
    quiet = ("ipv4.method", "disabled", "ipv6.method", "disabled")
    aware = ("bridge.vlan-filtering", "yes", "bridge.vlans", "20")
    host.run("nmcli", "connection", "add", *bridge, *aware, *quiet)
    link = ("type", "vlan", "ifname", "vmbr7.20", "con-name", "vmbr7.20", "dev", "vmbr7")
    address = ("ipv4.method", "manual", "ipv4.addresses", "10.20.0.1/24")
    host.run("nmcli", "connection", "add", *link, "id", "20", *address, "ipv6.method", "disabled")
    for number in (20, 30):
        name = f"vlan{number}"
        other.append(name)
        tag = f"xpath1.set=./vlan/tag/@id,xpath1.value={number}"
        host.guests.create(name, "size=0.25", network=f"bridge=vmbr7,{tag}")
        set_address(host, name, f"10.20.0.{number}")
    assert reaches(host, "10.20.0.20")
    assert not reaches(host, "10.20.0.30")
    for connection in ("vmbr7.20", "vmbr7"):
        host.run("nmcli", "connection", "delete", connection)


OVS_NETWORK = """<network><name>ovs</name><forward mode='bridge'/><bridge name='vmbr8'/>
<virtualport type='openvswitch'/>
<portgroup name='vlan20'><vlan><tag id='20'/></vlan></portgroup></network>"""


def test_open_vswitch(host: Host, other: list[str]) -> None:
    host.run("systemctl", "enable", "--now", "openvswitch-switch.service")
    port = ("add-port", "vmbr8", "vlan20", "tag=20", "--", "set", "interface", "vlan20")
    host.run("ovs-vsctl", "add-br", "vmbr8", "--", *port, "type=internal")
    host.run("ip", "address", "add", "10.21.0.1/24", "dev", "vlan20")
    host.run("ip", "link", "set", "vlan20", "up")
    host.ssh.run(["virsh", "net-define", "/dev/stdin"], input=OVS_NETWORK)
    host.guests.virsh("net-start", "ovs")
    other.append("switched")
    host.guests.create("switched", "size=0.25", network="network=ovs,portgroup=vlan20")
    set_address(host, "switched", "10.21.0.2")
    assert reaches(host, "10.21.0.2")
    host.run("ovs-vsctl", "set", "port", "vlan20", "tag=21")
    assert not reaches(host, "10.21.0.2")


def test_the_firewall_of_a_guest(host: Host, other: list[str]) -> None:
    """The guest may have one address, and not take another."""
    host.run("ip", "address", "add", "10.22.0.1/24", "dev", "vmbr0")
    other.append("filtered")
    own = "xpath1.set=./filterref/parameter/@name,xpath1.value=IP"
    address = "xpath2.set=./filterref/parameter/@value,xpath2.value=10.22.0.2"
    network = f"bridge=vmbr0,filterref.filter=clean-traffic,{own},{address}"
    host.guests.create("filtered", "size=0.25", network=network)
    set_address(host, "filtered", "10.22.0.2")
    assert reaches(host, "10.22.0.2")
    set_address(host, "filtered", "10.22.0.3")
    assert not reaches(host, "10.22.0.3")
    host.run("ip", "address", "del", "10.22.0.1/24", "dev", "vmbr0")


def test_ballooning(host: Host) -> None:
    before = free_kib(host)
    host.guests.virsh("setmem", "base", "96M", "--live")
    until(
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
    until(
        lambda: int(host.run("cat", "/sys/kernel/mm/ksm/pages_sharing")) > 1000 or None,
        180,
        "pages that guests share",
        where="KSM",
    )
    assert host.run("systemctl", "is-active", "ksmtuned.service") == "active"
    host.run("systemctl", "disable", "--now", "ksmtuned.service")
    host.run("sh", "-c", "echo 2 >/sys/kernel/mm/ksm/run")


def test_pinning(host: Host) -> None:
    host.guests.virsh("vcpupin", "base", "0", "1", "--live", "--config")
    host.guests.virsh("numatune", "base", "--nodeset", "0", "--mode", "strict", "--config")
    process = host.run("cat", "/run/libvirt/qemu/base.pid")
    threads = host.run("sh", "-c", f"grep -l CPU.0/KVM /proc/{process}/task/*/comm")
    allowed = host.run("grep", "Cpus_allowed_list", threads.replace("/comm", "/status"))
    assert allowed.split()[-1] == "1"
    assert "nodeset='0'" in host.guests.virsh("dumpxml", "base", "--inactive")


def set_address(host: Host, guest: str, address: str) -> None:
    word = f"{address}::::{guest}:eth0:none"
    host.guests.run(guest, f"ipconfig -c none {word} >/dev/null")


def reaches(host: Host, address: str) -> bool:
    ping = ["ping", "-c", "3", "-W", "2", address]
    return host.ssh.run(ping, check=False).status == 0
