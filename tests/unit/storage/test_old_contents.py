"""What earlier installations left on disks that are chosen, and on others."""

from __future__ import annotations

from typing import Any

import pytest

from agent.core.errors import SlipwayError
from installer.inventory.model import Disk, VolumeGroup
from installer.plan.model import Action
from installer.plan.storage import plan_storage
from installer.plan.storage_actions import RetireVolumeGroup, RetireZpool
from tests.unit.storage.machines import content, disk, machine, setup

GROUP = VolumeGroup(name="slipway", uuid="uj2BKv-3JNC", devices=("/dev/sdb3",))
MD_GROUP = VolumeGroup(name="slipway", uuid="uj2BKv-3JNC", devices=("/dev/md127",))


def _prepare(
    *disks: Disk, groups: tuple[VolumeGroup, ...] = (), **table: Any
) -> tuple[Action, ...]:
    found = machine(*disks).model_copy(update={"volume_groups": groups})
    return plan_storage(setup(**table), "selected", found).prepare


def _member(name: str, kind: str, **values: str) -> Disk:
    return disk(name, contents=(content(f"/dev/{name}3", kind, **values),))


def test_an_old_group_with_our_name_is_renamed_before_anything_else() -> None:
    actions = _prepare(disk("sda"), disk("sdb", partitions=("/dev/sdb3",)), groups=(GROUP,))
    assert actions[0] == RetireVolumeGroup(uuid="uj2BKv-3JNC", new_name="slipway-old-uj2BKv")


def test_a_group_that_will_be_cleared_or_has_another_name_is_left_alone() -> None:
    cases = [
        (disk("sda", partitions=("/dev/sdb3",)), GROUP),
        (disk("sda", holders=("md127",)), MD_GROUP),
        (disk("sda"), GROUP.model_copy(update={"name": "other"})),
    ]
    for chosen, group in cases:
        actions = _prepare(chosen, disk("sdc"), groups=(group,))
        assert not [action for action in actions if isinstance(action, RetireVolumeGroup)]


def test_an_old_pool_with_our_name_is_renamed() -> None:
    old = _member("sdb", "zfs_member", label="rpool", uuid="1234567890")
    zfs: dict[str, Any] = {"filesystem": "zfs", "zfs": {"raid": "raid0"}}
    assert _prepare(disk("sda"), old, **zfs)[0] == RetireZpool(
        guid="1234567890", new_name="rpool-old-123456"
    )
    # A node on LVM makes no rpool.
    assert not [item for item in _prepare(disk("sda"), old) if isinstance(item, RetireZpool)]


def test_an_old_array_with_our_name_is_refused() -> None:
    old = _member("sdx", "linux_raid_member", label="any:slipway", uuid="u")
    mirror: dict[str, Any] = {"disk_list": ["sda", "sdb"], "lvm": {"raid": "raid1"}}
    with pytest.raises(SlipwayError, match="has the name that the new storage gets"):
        _prepare(disk("sda"), disk("sdb"), old, **mirror)
    # The array is not running, so nobody sees the volume group on it.
    with pytest.raises(SlipwayError, match="has the name that the new storage gets"):
        _prepare(disk("sda"), old)
    zfs: dict[str, Any] = {"filesystem": "zfs", "zfs": {"raid": "raid0"}}
    assert _prepare(disk("sda"), old, **zfs)


@pytest.mark.parametrize("kind", ["linux_raid_member", "zfs_member", "btrfs"])
def test_a_part_of_a_set_is_not_cleared(kind: str) -> None:
    members = [_member(name, kind, label="old", uuid="u") for name in ("sda", "sdb")]
    with pytest.raises(SlipwayError, match='"old" lies on /dev/sda, and also on .* /dev/sdb'):
        _prepare(*members)
    both: dict[str, Any] = {
        "filesystem": "btrfs",
        "btrfs": {"raid": "raid1"},
        "disk_list": ["sda", "sdb"],
    }
    assert _prepare(*members, **both)


def test_a_part_of_a_volume_group_is_not_cleared() -> None:
    group = GROUP.model_copy(update={"devices": ("/dev/sda", "/dev/sdb3")})
    with pytest.raises(SlipwayError, match='volume group "slipway" lies on /dev/sda'):
        _prepare(disk("sda"), disk("sdb", partitions=("/dev/sdb3",)), groups=(group,))


def test_file_systems_are_no_sets() -> None:
    members = [_member(name, "ext4", label="same", uuid="u") for name in ("sda", "sdb")]
    assert _prepare(*members)
