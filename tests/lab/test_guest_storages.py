"""Storages with servers: registered, used by a guest, and waited for when the server is down."""

from __future__ import annotations

import pytest

from tests.lab import storage_servers as servers
from tests.lab.conftest import empty_folder
from tests.lab.guests import Host
from tests.lab.wait import until

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

MIB = 1 << 20
# Seconds until a server that answers again is used: asked every 15, on a slow machine.
RETURN_LIMIT = 180.0


def test_nfs_is_waited_for_and_used(host: Host) -> None:
    folder = empty_folder(f"nfs-{host.layout}")
    with servers.nfs(folder) as files:
        add = ("slipway", "storage", "add", "nfs", "nas")
        host.run(*add, "--server", servers.ADDRESS, "--export", servers.EXPORT)
        host.guests.create("on-nas", "pool=nas,size=0.25,format=qcow2")
        host.guests.write("on-nas", "far")
        assert host.guests.read("on-nas") == "far"
        assert (files / "on-nas.qcow2").stat().st_blocks * 512 < 32 * MIB
        host.guests.virsh("autostart", "on-nas")
        host.guests.virsh("destroy", "on-nas")
        host.guests.virsh("pool-destroy", "nas")
    host.run("systemctl", "restart", "slipway-agent", limit=600)
    status = host.run("slipway", "status")
    assert ": ready" in status and "the storage nas is not in use" in status
    with servers.nfs(folder):
        until(
            lambda: "nas" in host.guests.virsh("pool-list", "--name").split() or None,
            RETURN_LIMIT,
            "the storage",
            where="nas",
            interval=5,
        )
        host.guests.wait_for("on-nas")
        host.guests.remove(["on-nas"])
        host.run("slipway", "storage", "remove", "nas")
    assert "nas" not in host.run("slipway", "storage", "list")


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
