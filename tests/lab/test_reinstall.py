"""Installing over what earlier installations left: nothing of it wakes up in the new node."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.answers import answer
from tests.lab.arguments import Accelerator
from tests.lab.install import LOGIN_LIMIT, InstalledNode, install, node_spec, wait_until_ready
from tests.lab.layouts import LAYOUTS, Layout
from tests.lab.spec import MachineSpec
from tests.lab.ssh import Key

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

MIRROR = ("vda", "vdb")
THIRD = ("vdc",)
DISKS = node_spec("reinstalled", "uefi", Layout((*MIRROR, *THIRD), {}))


def test_nothing_of_old_installations_is_left(
    built_iso: Path, accelerator: Accelerator, key: Key, folder: Path
) -> None:
    """ZFS on two disks, ZFS with the same name on a third; LVM over the third, LVM with the same
    name on md over the first two.
    """

    def place(name: str, layout: str, disks: tuple[str, ...], spec: MachineSpec) -> InstalledNode:
        wanted = answer(replace(LAYOUTS[layout], disks=disks), key.public) | {"wipe": "selected"}
        logs = folder / name
        logs.mkdir()
        (folder / "disks").mkdir(exist_ok=True)
        (logs / "disks").symlink_to(folder / "disks")
        node, _ = install(spec, wanted, built_iso, key, accelerator, logs)
        return node

    two = replace(DISKS, disks=DISKS.disks[:2])
    place("first", "zfs-raid1", MIRROR, two)
    node = place("second", "zfs-raid0", THIRD, DISKS)
    with node.boot(folder / "zfs") as machine:
        wait_until_ready(machine)
        node.ssh.wait_until_up(LOGIN_LIMIT)
        pool = node.ssh.output("zpool", "status", "-LP", "rpool")
        assert "/dev/vdc" in pool and "/dev/vda" not in pool
        # The old pool is whole, and has another name.
        assert "pool: rpool-old-" in node.ssh.output("zpool", "import")

    place("third", "lvm-ext4", THIRD, DISKS)
    node = place("fourth", "md-raid1", MIRROR, DISKS)
    with node.boot(folder / "md") as machine:
        wait_until_ready(machine)
        node.ssh.wait_until_up(LOGIN_LIMIT)
        listed = node.ssh.output("lsblk", "-lnpo", "NAME").splitlines()
        devices = [name for name in listed if name.startswith("/dev/vd")]
        # It looks at both ends of each device, past what lies on top of it.
        assert "zfs" not in node.ssh.output("wipefs", "--no-act", *devices)
        pairs = node.ssh.output("pvs", "--noheadings", "-o", "pv_name,vg_name").splitlines()
        groups = dict(pair.split() for pair in pairs)
        assert groups.pop("/dev/vdc3").startswith("slipway-old-")
        assert list(groups.values()) == ["slipway"]
        assert node.ssh.output("findmnt", "-no", "SOURCE", "/") == "/dev/mapper/slipway-root"
