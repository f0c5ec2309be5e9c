"""What ZFS, md and btrfs tell about their disks. The answers were recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.core.command import Result
from agent.core.errors import ToolMissing
from agent.disk import sets
from agent.disk.model import DiskSet, Member
from agent.disk.sets import btrfs_members, btrfs_profile, degraded, md_sets, zfs_sets

PARENTS = {"/dev/vda3": "/dev/vda", "/dev/vdb3": "/dev/vdb"}
BTRFS = """Label: none  uuid: 7dbdcc2c-02c4-5dd8-8d61-6b2b3c4b3f26
\tTotal devices 2 FS bytes used 1017921536
\tdevid    1 size 42410704896 used 2491416576 path /dev/vda3
\tdevid    2 size 0 used 0 path  MISSING
"""


def md_array(block: Path, **states: str) -> None:
    folder = block / "md127" / "md"
    folder.mkdir(parents=True)
    (folder / "raid_disks").write_text("2\n")
    for name, state in states.items():
        (folder / f"dev-{name}").mkdir()
        (folder / f"dev-{name}" / "state").write_text(f"{state}\n")


def test_an_array_that_is_complete(tmp_path: Path) -> None:
    md_array(tmp_path, vda3="in_sync", vdb3="in_sync")
    (group,) = md_sets(PARENTS, tmp_path)
    assert group == DiskSet(
        "md",
        "/dev/md127",
        (
            Member("/dev/vda3", "/dev/vda3", "/dev/vda", good=True),
            Member("/dev/vdb3", "/dev/vdb3", "/dev/vdb", good=True),
        ),
    )
    assert degraded((group,)) == ()


def test_an_array_without_a_disk(tmp_path: Path) -> None:
    md_array(tmp_path, vda3="in_sync")
    (group,) = md_sets(PARENTS, tmp_path)
    assert [member.disk for member in group.members] == ["/dev/vda", ""]
    assert degraded((group,)) == ("md /dev/md127 is degraded (1 of 2 disks)",)


def test_an_array_that_is_copying_to_a_new_disk(tmp_path: Path) -> None:
    md_array(tmp_path, vda3="in_sync,write_mostly", vdb3="spare")
    (group,) = md_sets(PARENTS, tmp_path)
    assert [member.good for member in group.members] == [True, False]


def test_btrfs_without_a_disk() -> None:
    assert btrfs_members(BTRFS, PARENTS) == (
        Member("1", "/dev/vda3", "/dev/vda", good=True),
        Member("2", "", "", good=False),
    )


@pytest.mark.parametrize(
    ("names", "profile"),
    [({"single", "raid1"}, "raid1"), ({"raid10", "raid1"}, "raid10"), (set(), "")],
)
def test_the_intended_profile(names: set[str], profile: str) -> None:
    assert btrfs_profile(names) == profile


def zpool(monkeypatch: pytest.MonkeyPatch, vdevs: dict[str, Any]) -> None:
    root = {"rpool": {"name": "rpool", "vdev_type": "root", "state": "DEGRADED", "vdevs": vdevs}}
    answer = json.dumps({"pools": {"rpool": {"name": "rpool", "vdevs": root}}})
    monkeypatch.setattr(sets, "run", lambda argv, check: Result(tuple(argv), 0, answer, ""))


def leaf(path: str, guid: str, state: str) -> dict[str, Any]:
    return {"name": path, "vdev_type": "disk", "guid": guid, "path": path, "state": state}


def test_a_pool_of_two_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    first = {"a": leaf("/dev/vda3", "1", "ONLINE"), "b": leaf("/dev/vdb3", "2", "CANT_OPEN")}
    second = {"c": leaf("/dev/vdc3", "3", "ONLINE"), "d": leaf("/dev/vdd3", "4", "FAULTED")}
    mirrors = {
        "mirror-0": {"vdev_type": "mirror", "state": "DEGRADED", "vdevs": first},
        "mirror-1": {"vdev_type": "mirror", "state": "DEGRADED", "vdevs": second},
    }
    zpool(monkeypatch, mirrors)
    parents = {f"/dev/vd{letter}3": f"/dev/vd{letter}" for letter in "abcd"}
    (group,) = zfs_sets(parents)
    assert group.members == (
        Member("1", "/dev/vda3", "/dev/vda", good=True),
        # Another disk has the name now.
        Member("2", "/dev/vdb3", "", good=False),
        Member("3", "/dev/vdc3", "/dev/vdc", good=True),
        Member("4", "/dev/vdd3", "/dev/vdd", good=False),
    )
    assert degraded((group,)) == ("zfs rpool is degraded (2 of 4 disks)",)


def test_a_node_without_zfs(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(argv: list[str], check: bool) -> Result:
        raise ToolMissing(argv[0])

    monkeypatch.setattr(sets, "run", run)
    assert list(zfs_sets({})) == []
