"""What is said of the drives of a machine that is to move."""

from __future__ import annotations

from agent.ha.look import media
from agent.storages.disks import Disk


def test_only_media_of_this_node_keep_a_machine_here() -> None:
    disks = (
        Disk("vda", "/dev/slipway/web", shared=False),
        Disk("sda", "/srv/own.iso", shared=False, disk=False),
        Disk("sdb", "/srv/nas/common.iso", shared=True, disk=False),
    )
    assert media(disks) == ["its drive sda (/srv/own.iso) has a file of this node"]
