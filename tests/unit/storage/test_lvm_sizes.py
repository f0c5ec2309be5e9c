"""The LVM arithmetic against figures that the Proxmox installer worked out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from installer.answers.disks import LvmOptions
from installer.plan.storage.lvm_sizes import EXTENT_KIB, LvmSizes, ThinPoolSize, lvm_sizes
from installer.plan.storage.partitions import limit_kib, system_size_kib
from tests.unit.storage.machines import disk

DATA = Path(__file__).parents[2] / "data"
CASES = json.loads((DATA / "lvm-sizes.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_sizes_are_those_of_the_peer(case: dict[str, Any]) -> None:
    options = LvmOptions.model_validate(
        {key: case[key] for key in LvmOptions.model_fields if key in case}
    )
    target = disk("sda", size_bytes=case["disk_sectors_512"] * 512)
    expected = case["expect"]
    pool = (
        ThinPoolSize(expected["data_kib"], expected["thin_meta_kib"])
        if expected["data_created"]
        else None
    )

    space_kib = system_size_kib(target, limit_kib(options.hdsize, [target]))

    assert space_kib == expected["os_size_kib"]
    assert lvm_sizes(space_kib, case["memory_mib"], options) == LvmSizes(
        expected["swap_kib"], expected["root_kib"], pool
    )


def test_swap_is_whole_extents() -> None:
    sizes = lvm_sizes(64 * 2**20, 4096, LvmOptions(swapsize=1.0001))
    assert sizes.swap_kib == 2**20 + EXTENT_KIB
