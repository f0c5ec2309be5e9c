"""A virtual machine on the node that was just installed: its disk is thin, and backed up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.conftest import RunningNode
from tests.lab.guests import Guests

pytestmark = pytest.mark.lab

IMAGES = "/var/lib/libvirt/images"
PLACE = "/srv/backups"


def test_the_first_guest(node: RunningNode, guest_initrd: Path) -> None:
    if node.ssh.run(["test", "-e", "/dev/kvm"], check=False).status != 0:
        pytest.skip("the node has no hardware virtualization, guests would take minutes")
    guests = Guests(node.ssh)
    guests.prepare(guest_initrd)
    guests.create("first", "size=0.25,format=qcow2")
    try:
        assert "<domain type='kvm'" in guests.virsh("dumpxml", "first")
        file = f"{IMAGES}/first.qcow2"
        assert int(node.ssh.output("stat", "--format=%b", file)) * 512 < 32 << 20
        assert node.ssh.output("findmnt", "-no", "SOURCE", IMAGES) == "/dev/mapper/slipway-images"
        guests.write("first", "kept")
        node.ssh.run(["mkdir", "-p", PLACE])
        node.ssh.run(["slipway", "backup", "run", "first", "--to", PLACE], limit=300)
        assert "first" in node.ssh.output("slipway", "backup", "list", "--from", PLACE)
        assert guests.read("first") == "kept"
    finally:
        guests.remove(["first"])
