"""Which sets of disks make which level, against what the Proxmox installer accepts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.core.errors import SlipwayError
from installer.inventory.model import Disk
from installer.plan.model import StoragePlan
from installer.plan.storage import plan_storage
from installer.plan.storage_actions import CreateZpool, MakeFilesystem
from tests.unit.storage.machines import disk, machine, setup

DATA = Path(__file__).parents[2] / "data"
CASES = json.loads((DATA / "raid-setup.json").read_text())["cases"]


def _disks(case: dict[str, Any]) -> list[Disk]:
    # Without links the pool is made of kernel names, as in the recorded cases.
    return [
        disk(
            f"sd{'abcdefghij'[index]}",
            size_bytes=sectors * 512,
            logical_sector_bytes=block,
            links=(),
        )
        for index, (sectors, block) in enumerate(case["disks"])
    ]


def _plan(case: dict[str, Any]) -> StoragePlan:
    filesystem, _, level = case["filesystem"].strip(")").partition(" (")
    disks = _disks(case)
    table = {
        "filesystem": filesystem,
        filesystem: {"raid": level.lower()},
        "disk_list": [item.name for item in disks],
    }
    found = machine(*disks, firmware="uefi" if case["boot_type"] == "efi" else "bios")
    return plan_storage(setup(**table), "none", found)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_sets_are_those_of_the_peer(case: dict[str, Any]) -> None:
    expected = case["expect"]
    if "error" in expected:
        with pytest.raises((SlipwayError, ValidationError)):
            _plan(case)
        return
    plan = _plan(case)
    assert len(plan.esps) == expected["disk_count"]
    if "mode" in expected:
        (made,) = [
            action
            for action in plan.prepare
            if isinstance(action, MakeFilesystem) and action.filesystem == "btrfs"
        ]
        assert len(made.devices) == expected["disk_count"]
        assert expected["mode"] in made.options or len(made.devices) == 1
    else:
        (pool,) = [action for action in plan.prepare if isinstance(action, CreateZpool)]
        assert " ".join(re.sub(r"(/dev/sd\w)\d", r"\1", word) for word in pool.vdevs) == (
            expected["vdev"]
        )


@pytest.mark.parametrize(("gib", "accepted"), [(90, True), (89, False), (110, True), (111, False)])
def test_md_mirrors_have_disks_of_about_the_same_size(gib: int, accepted: bool) -> None:
    table = setup(disk_list=["sda", "sdb"], lvm={"raid": "raid1"})
    found = machine(disk("sda", gib=100), disk("sdb", gib=gib))
    if accepted:
        assert len(plan_storage(table, "none", found).esps) == 2
    else:
        with pytest.raises(SlipwayError, match="differ by more than 10 %"):
            plan_storage(table, "none", found)
