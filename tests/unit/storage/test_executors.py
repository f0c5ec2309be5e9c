"""Executors: real tools on image files; where that needs a block device, their command lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.core.command import Result, run
from agent.core.errors import SlipwayError
from agent.disk import clear
from installer.execute.storage import EXECUTORS, wipe
from installer.execute.storage.filesystems import make_filesystem
from installer.plan.model import Unmount
from installer.plan.storage import plan_storage
from installer.plan.storage_actions import MakeFilesystem, WipeDisk
from tests.unit.storage.machines import disk, machine, setup

LSBLK = Path(__file__).parents[2] / "data/inventory/lsblk.json"
TARGET = Path("/nonexistent")


@pytest.mark.parametrize(
    ("filesystem", "uuid", "options"),
    [
        ("vfat", "1A2B-3C4D", ("-F", "32")),
        ("ext4", "1b671a64-40d5-491e-99b0-da01ff1f3341", ()),
    ],
)
def test_file_systems_get_the_planned_id(
    tmp_path: Path, filesystem: Any, uuid: str, options: tuple[str, ...]
) -> None:
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(64 * 2**20)
    action = MakeFilesystem(
        filesystem=filesystem, devices=(str(image),), uuid=uuid, options=options
    )

    make_filesystem(action, TARGET)

    found = run(["blkid", "--probe", "--output", "export", image]).stdout.splitlines()
    assert f"TYPE={filesystem}" in found
    assert f"UUID={uuid}" in found


@pytest.mark.parametrize(
    "table",
    [
        {"filesystem": "xfs", "lvm": {"raid": "raid1"}},
        {"filesystem": "zfs", "zfs": {"raid": "raid1"}},
        {"filesystem": "btrfs", "btrfs": {"raid": "raid1"}},
    ],
)
def test_every_planned_action_has_an_executor(table: dict[str, Any]) -> None:
    found = machine(disk("sda"), disk("sdb"))
    plan = plan_storage(setup(disk_list=["sda", "sdb"], **table), "none", found)
    planned = {type(action) for action in (*plan.prepare, *plan.finish)}
    # The target is unmounted in the same way at the end of every installation.
    assert planned - {Unmount} <= set(EXECUTORS)


class Tools:
    """Stands in for the tools: lsblk shows one disk, what else is run is kept."""

    def __init__(self, name: str) -> None:
        nodes = json.loads(LSBLK.read_text())["blockdevices"]
        self.disk = next(node for node in nodes if node["name"] == name)
        children = self.disk.get("children", ())
        self.partitions = [node for node in children if node["type"] == "part"]
        self.ran: list[str] = []

    def run(self, argv: Sequence[str]) -> Result:
        if argv[0] == "lsblk":
            return Result(tuple(argv), 0, json.dumps({"blockdevices": [self.disk]}), "")
        self.ran.append(" ".join(argv))
        return Result(tuple(argv), 0, "", "")

    def action(self, **changes: Any) -> WipeDisk:
        planned = WipeDisk(
            device=self.disk["path"],
            serial=self.disk["serial"],
            size_bytes=self.disk["size"],
            partitions=tuple(node["path"] for node in self.partitions),
        )
        return planned.model_copy(update=changes)


@pytest.fixture
def tools(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Tools:
    stand_in = Tools(request.param)
    for module in (wipe, clear):
        monkeypatch.setattr(module, "run", stand_in.run)
    return stand_in


@pytest.mark.parametrize("tools", ["sdf"], indirect=True)
def test_volumes_are_taken_apart_from_the_top(tools: Tools) -> None:
    wipe.wipe_disk(tools.action(), TARGET)
    # The thin pool lies on its data volume.
    assert tools.ran[:3] == [
        "dmsetup remove --retry slipway-root",
        "dmsetup remove --retry slipway-data",
        "dmsetup remove --retry slipway-data_tdata",
    ]
    end, part_end = (node["size"] - clear.END_BYTES for node in (tools.disk, tools.partitions[0]))
    assert tools.ran[3:] == [
        "blkdiscard --zeroout --offset=0 --length=16777216 /dev/sdf1",
        f"blkdiscard --zeroout --offset={part_end} --length=16777216 /dev/sdf1",
        "blkdiscard --zeroout --offset=0 --length=16777216 /dev/sdf",
        f"blkdiscard --zeroout --offset={end} --length=16777216 /dev/sdf",
        "udevadm settle",
    ]


@pytest.mark.parametrize("tools", ["sdb"], indirect=True)
def test_arrays_are_stopped(tools: Tools) -> None:
    wipe.wipe_disk(tools.action(), TARGET)
    assert tools.ran[0] == "mdadm --stop /dev/md127"


@pytest.mark.parametrize("tools", ["sdf"], indirect=True)
@pytest.mark.parametrize(
    "changes", [{"serial": "OTHER"}, {"size_bytes": 2**30}, {"partitions": ()}]
)
def test_another_disk_is_not_touched(tools: Tools, changes: dict[str, Any]) -> None:
    with pytest.raises(SlipwayError, match="no longer the disk"):
        wipe.wipe_disk(tools.action(**changes), TARGET)
    assert tools.ran == []


@pytest.mark.parametrize("tools", ["sde"], indirect=True)
def test_a_disk_in_use_is_not_touched(tools: Tools) -> None:
    with pytest.raises(SlipwayError, match="/dev/sde1: is in use: /mnt/files"):
        wipe.wipe_disk(tools.action(), TARGET)
    assert tools.ran == []


@pytest.mark.parametrize("tools", ["sdb"], indirect=True)
def test_a_short_range_is_zeroed_at_once(tools: Tools) -> None:
    clear.zero_ends("/dev/sdb", 4096, 2 * clear.END_BYTES)
    assert tools.ran == [
        f"blkdiscard --zeroout --offset=4096 --length={2 * clear.END_BYTES} /dev/sdb"
    ]
