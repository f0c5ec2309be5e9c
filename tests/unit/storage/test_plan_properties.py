"""What must hold for every storage plan, tried with many disks, layouts and options."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from installer.answers.disks import MINIMUM_DISKS, DiskSetup
from installer.inventory.model import Inventory
from installer.plan.model import PlannedDisk, StoragePlan
from installer.plan.storage import plan_storage
from installer.plan.storage_actions import (
    CreateLogicalVolume,
    CreateRaid,
    CreateThinPool,
    CreateVolumeGroup,
    PartitionDisk,
    WipeDisk,
)
from tests.unit.storage.machines import GIB, content, disk, machine, setup

EXTENT = 4 * 2**20
LVM_HEADER = 2**20
MD_OFFSET = 2 * 2**20


def _plan(table: DiskSetup, found: Inventory) -> StoragePlan:
    return plan_storage(table, "none", found)


def _disk(plan: StoragePlan, path: str) -> PlannedDisk:
    return next(item for item in plan.disks if item.path == path)


LEVELS = [
    ("ext4", None),
    ("xfs", "raid1"),
    *(("btrfs", level) for level in ("raid0", "raid1", "raid10")),
    *(("zfs", level) for level in MINIMUM_DISKS),
]


@st.composite
def layouts(draw: st.DrawFn) -> tuple[DiskSetup, Inventory]:
    """A layout and a machine that can have it, with a disk more that stays as it is."""
    filesystem, level = draw(st.sampled_from(LEVELS))
    count = MINIMUM_DISKS[level] + draw(st.integers(0, 1)) * 2 if level else 1
    sector = draw(st.sampled_from([512, 4096]))
    base = draw(st.integers(10 * GIB // 4096, 20000 * GIB // 4096)) * 4096
    sizes = [base - draw(st.integers(0, base // 25 // 4096)) * 4096 for _ in range(count)]
    disks = [
        disk(f"sd{'abcdefgh'[index]}", size_bytes=size, logical_sector_bytes=sector)
        for index, size in enumerate(sizes)
    ]
    options: dict[str, Any] = {"raid": level} if level else {}
    if draw(st.booleans()):
        options["hdsize"] = draw(st.floats(8.5, 30000))
    if filesystem in ("ext4", "xfs") and draw(st.booleans()):
        options["swapsize"] = draw(st.floats(0, 2))
        options["minfree"] = draw(st.floats(0, 20))
        options["maxvz"] = draw(st.floats(0, 30000))
    option_table = filesystem if filesystem in ("zfs", "btrfs") else "lvm"
    ways: list[dict[str, Any]] = [
        {"disk_list": [item.name for item in disks]},
        {"filter": {"ID_SERIAL": "*SER-SD[A-H]"}},
        {"select": {"name": "sd[a-h]", "sort": draw(st.sampled_from([None, "largest"]))}},
    ]
    choice = draw(st.sampled_from(ways))
    table = setup(filesystem=filesystem, **choice, **{option_table: options})
    other = disk("sdx", contents=(content("/dev/sdx"),))
    memory_mib = draw(st.integers(512, 2**21))
    return table, machine(*disks, other, memory_mib=memory_mib)


@given(layouts())
def test_partitions_are_aligned_apart_and_on_the_disk(layout: tuple[DiskSetup, Inventory]) -> None:
    table, found = layout
    for planned in _plan(table, found).disks:
        sector = planned.logical_sector_bytes
        # GPT: a protective MBR, a header and 16 KiB of table; at the end the same without MBR.
        end = (2 * sector + 16 * 1024) // sector
        for part in planned.partitions:
            assert part.first_sector >= end
            assert part.first_sector * sector % 2**20 == 0 or part.type == "bios-boot"
            end = part.last_sector + 1
            assert end > part.first_sector
        assert end * sector <= planned.size_bytes - sector - 16 * 1024
        assert [part.number for part in planned.partitions] == list(
            range(1, len(planned.partitions) + 1)
        )


@given(layouts())
def test_volumes_fit_the_volume_group(layout: tuple[DiskSetup, Inventory]) -> None:
    table, found = layout
    plan = _plan(table, found)
    groups = [action for action in plan.prepare if isinstance(action, CreateVolumeGroup)]
    if not groups:
        return
    smallest = min(
        (parts[-1].last_sector - parts[-1].first_sector + 1) * item.logical_sector_bytes
        for item in plan.disks
        if (parts := item.partitions)
    )
    if any(isinstance(action, CreateRaid) for action in plan.prepare):
        smallest -= MD_OFFSET
    extents = (smallest - LVM_HEADER) // EXTENT
    used = 0
    for action in plan.prepare:
        if isinstance(action, CreateLogicalVolume):
            used += -(-action.size_kib * 1024 // EXTENT)
        elif isinstance(action, CreateThinPool):
            # Data, metadata and the spare of the metadata.
            used += -(-action.size_kib * 1024 // EXTENT)
            used += 2 * -(-action.metadata_kib * 1024 // EXTENT)
    assert used <= extents


@given(layouts(), st.randoms())
def test_the_order_in_which_disks_are_found_does_not_matter(
    layout: tuple[DiskSetup, Inventory], shuffler: random.Random
) -> None:
    table, found = layout
    disks = list(found.disks)
    shuffler.shuffle(disks)
    shuffled = found.model_copy(update={"disks": tuple(disks)})
    assert _plan(table, shuffled) == _plan(table, found)


@given(layouts())
def test_only_chosen_disks_are_touched(layout: tuple[DiskSetup, Inventory]) -> None:
    plan = _plan(*layout)
    found = layout[1]
    touched = {
        action.device for action in plan.prepare if isinstance(action, WipeDisk | PartitionDisk)
    }
    assert touched == {item.path for item in found.disks} - {"/dev/sdx"}
    assert _disk(plan, "/dev/sdx").use == "untouched"
    assert len({esp[2] for esp in plan.esps}) == len(plan.esps) == len(touched)
