"""Storages beside the node's disks: registered, used by a guest, and given up.

A server that is down at boot and comes back: see test_guest_power_cut.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import storage_servers as servers
from tests.lab.conftest import empty_folder
from tests.lab.host import Host

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

MIB = 1 << 20


def test_nfs(host: Host) -> None:
    dilation = host.node.spec.dilation
    with servers.nfs(empty_folder(f"nfs-{host.layout}"), dilation) as files:
        add = ("slipway", "storage", "add", "nfs", "nas")
        host.run(*add, "--server", servers.ADDRESS, "--export", servers.EXPORT)
        host.guests.create("on-nas", "pool=nas,size=0.25,format=qcow2")
        host.guests.write("on-nas", "far")
        assert host.guests.read("on-nas") == "far"
        assert (files / "on-nas.qcow2").stat().st_blocks * 512 < 32 * MIB
        host.guests.remove(["on-nas"])
        host.run("slipway", "storage", "remove", "nas")
    assert "nas" not in host.run("slipway", "storage", "list")


def test_a_server_that_is_not_there_leaves_nothing(host: Host) -> None:
    add = ["slipway", "storage", "add", "nfs", "nowhere"]
    refused = host.ssh.run(
        [*add, "--server", servers.ADDRESS, "--export", servers.EXPORT], check=False
    )
    assert refused.status == 1 and "no server of" in refused.stderr
    assert "nowhere" not in host.run("slipway", "storage", "list")
    assert "nowhere" not in host.guests.virsh("pool-list", "--all", "--name")


def test_smb(host: Host) -> None:
    with servers.smb(empty_folder(f"smb-{host.layout}")) as files:
        account = ("--username", servers.ACCOUNT, "--secret-file", "-")
        add = ["slipway", "storage", "add", "smb", "share", "--server", servers.ADDRESS]
        host.ssh.run([*add, "--share", servers.SHARE, *account], input=servers.PASSWORD)
        assert servers.PASSWORD not in host.run("cat", "/etc/slipway/storages/share.toml")
        host.guests.create("on-share", "pool=share,size=0.25,format=qcow2")
        host.guests.write("on-share", "far")
        assert host.guests.read("on-share") == "far"
        assert (files / "on-share.qcow2").exists()
        host.guests.remove(["on-share"])
        host.run("slipway", "storage", "remove", "share")


def test_iscsi(host: Host) -> None:
    with servers.iscsi(empty_folder(f"iscsi-{host.layout}"), 64 * MIB) as lun:
        add = ("slipway", "storage", "add", "iscsi", "san", "--portal", servers.ADDRESS)
        host.run(*add, "--target", servers.TARGET)
        volumes = host.guests.virsh("vol-list", "san").splitlines()
        volume = next(line.split()[0] for line in volumes if "lun-1" in line)
        host.guests.create("on-lun", f"vol=san/{volume}")
        host.guests.write("on-lun", "far")
        assert lun.read_bytes().startswith(b"far\n")
        host.ssh.run(["virsh", "destroy", "on-lun"])
        host.ssh.run(["virsh", "undefine", "on-lun"])
        host.run("slipway", "storage", "remove", "san")


def test_a_directory(host: Host) -> None:
    host.run("mkdir", "-p", "/srv/disks")
    host.run("slipway", "storage", "add", "directory", "disks", "--path", "/srv/disks")
    host.guests.create("on-disks", "pool=disks,size=0.25,format=qcow2")
    host.guests.write("on-disks", "near")
    assert host.guests.read("on-disks") == "near"
    refused = host.ssh.run(["slipway", "storage", "remove", "disks"], check=False)
    assert refused.status == 1 and "on-disks" in refused.stderr
    host.guests.remove(["on-disks"])
    host.run("slipway", "storage", "remove", "disks")


@pytest.fixture
def disk(host: Host) -> Iterator[str]:
    """A disk of its own: a file of the node as a loop device."""
    host.run("truncate", "--size=2G", "/srv/disk")
    device = host.run("losetup", "--find", "--show", "/srv/disk")
    yield device
    host.run("losetup", "--detach", device)
    host.run("rm", "/srv/disk")


def test_a_volume_group(host: Host, disk: str) -> None:
    host.run("vgcreate", "--yes", "san1", disk)
    host.run("slipway", "storage", "add", "lvm", "san1", "--volume-group", "san1")
    host.guests.create("on-group", "pool=san1,size=0.25")
    host.guests.write("on-group", "near")
    assert host.guests.read("on-group") == "near"
    assert host.run("lvs", "--noheadings", "-o", "segtype", "san1") == "linear"
    host.guests.remove(["on-group"])
    host.run("slipway", "storage", "remove", "san1")
    host.run("vgremove", "--yes", "san1")


def test_a_thin_pool(host: Host, disk: str) -> None:
    host.run("vgcreate", "--yes", "fast", disk)
    host.run("lvcreate", "--yes", "--type", "thin-pool", "--size", "1G", "--name", "data", "fast")
    pool = ("--volume-group", "fast", "--thin-pool", "data")
    host.run("slipway", "storage", "add", "lvm-thin", "fast", *pool)
    host.guests.create("on-pool", "pool=fast,size=0.25,format=qcow2")
    host.guests.write("on-pool", "near")
    assert host.guests.read("on-pool") == "near"
    host.guests.remove(["on-pool"])
    host.run("slipway", "storage", "remove", "fast")
    host.run("vgremove", "--yes", "fast")


def test_a_dataset(host: Host, disk: str) -> None:
    if not host.on_zfs:
        pytest.skip("only a node with ZFS has its tools")
    host.run("zpool", "create", "tank", disk)
    host.run("zfs", "create", "-o", "slipway:thin=on", "tank/guests")
    host.run("slipway", "storage", "add", "zfs", "tank", "--dataset", "tank/guests")
    host.guests.create("on-tank", "pool=tank,size=0.25")
    host.guests.write("on-tank", "near")
    assert host.guests.read("on-tank") == "near"
    sizes = ("-H", "-p", "-t", "volume", "-o", "refreservation", "-r")
    assert host.run("zfs", "list", *sizes, "tank/guests") == "0"
    host.guests.remove(["on-tank"])
    host.run("slipway", "storage", "remove", "tank")
    host.run("zpool", "destroy", "tank")
