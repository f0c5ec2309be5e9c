"""`slipway disk replace` on disks that still work: of the extra pools, with `--wipe` as well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.answers import answer
from tests.lab.cells import COPY_LIMIT, assert_healthy
from tests.lab.install import LOGIN_LIMIT, power_off, wait_until_ready
from tests.lab.installer import Installer
from tests.lab.layouts import Layout
from tests.lab.spec import Disk
from tests.lab.ssh import Ssh

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

MIRRORED = Layout(
    ("vda",),
    {
        "filesystem": "ext4",
        "data": [
            {
                "name": "tank",
                "layout": "zfs",
                "disk-list": ["vdb", "vdc"],
                "zfs": {"raid": "raid1"},
            },
            {
                "name": "bulk",
                "layout": "btrfs",
                "disk-list": ["vdd", "vde"],
                "btrfs": {"raid": "raid1"},
            },
        ],
    },
    ("vdb", "vdc", "vdd", "vde"),
)
# The disk that goes and the pool it is of, and the new one.
FRESH = (Disk("new1", serial="LAB-new1"), Disk("new2", serial="LAB-new2"))
PLACES = {"vdb": "new1", "vdd": "new2"}
PARTNERS = ("vdc", "vde")
FILES = ("/tank-files/file", "/var/lib/slipway/pools/bulk/file")


def by_id(name: str) -> str:
    return f"/dev/disk/by-id/virtio-LAB-{name}"


def test_working_disks_of_extra_pools_are_replaced(installer: Installer, folder: Path) -> None:
    """Afterwards the node starts without their partners, and the pools' files are whole."""
    wanted = answer(MIRRORED, installer.key.public)
    node = installer.install("mirrored-pools", "uefi", MIRRORED, wanted, folder)
    node = replace(node, spec=replace(node.spec, disks=(*node.spec.disks, *FRESH)))
    with node.boot(folder / "replace") as machine:
        wait_until_ready(machine)
        node.ssh.wait_until_up(LOGIN_LIMIT)
        sums = make_files(node.ssh)
        refuse_data(node.ssh)
        for old, new in PLACES.items():
            command = ["slipway", "disk", "replace", by_id(old), by_id(new)]
            wipe = ["--wipe"] if new == "new1" else []
            node.ssh.run([*command, *wipe], limit=COPY_LIMIT)
        assert_healthy(node)
        power_off(node, machine)
    gone = (*PLACES, *PARTNERS)
    left = tuple(disk for disk in node.spec.disks if disk.name not in gone)
    with replace(node, spec=replace(node.spec, disks=left)).boot(folder / "left") as machine:
        wait_until_ready(machine)
        node.ssh.wait_until_up(LOGIN_LIMIT)
        status = node.ssh.output("slipway", "status")
        assert "zfs tank is degraded (1 of 2 disks)" in status
        assert "btrfs /var/lib/slipway/pools/bulk is degraded (1 of 2 disks)" in status
        assert node.ssh.output("sha256sum", *FILES) == sums


def make_files(ssh: Ssh) -> str:
    """Put a file in each pool, and make the first new disk one of an old pool: the digests.

    The old pool's partition begins and ends where the new one will, labels and all.
    """
    ssh.run(["zfs", "create", "-o", "mountpoint=/tank-files", "tank/files"])
    for path in FILES:
        ssh.run(["dd", "if=/dev/urandom", f"of={path}", "bs=1M", "count=64", "conv=fsync"])
    table = ssh.output("sfdisk", "--dump", by_id("vdb"))
    ssh.run(["sfdisk", "--quiet", by_id("new1")], input=table)
    ssh.run(["udevadm", "wait", "--settle", f"{by_id('new1')}-part1"])
    ssh.run(["zpool", "create", "old", f"{by_id('new1')}-part1"])
    ssh.run(["zpool", "export", "old"])
    return ssh.output("sha256sum", *FILES)


def refuse_data(ssh: Ssh) -> None:
    """Without --wipe the disk that carries data is refused, and keeps it."""
    refused = ssh.run(["slipway", "disk", "replace", by_id("vdb"), by_id("new1")], check=False)
    assert refused.status != 0
    assert "carries data: " in refused.stderr and "zfs_member" in refused.stderr
    assert "--wipe" in refused.stderr
    assert "pool: old" in ssh.output("zpool", "import")
