"""Partition tables that libparted really writes, to image files, read back with sfdisk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.core.command import run
from agent.core.errors import SlipwayError
from installer.execute.storage.partition import TYPES, write_table
from installer.plan.storage.partitions import system_partitions
from tests.unit.storage.machines import GIB, disk


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    with path.open("wb") as file:
        file.truncate(10 * GIB)
    return path


def test_the_table_is_the_planned_one(image: Path) -> None:
    planned = system_partitions(disk("sda", gib=10), "lvm", 10 * 2**20)

    write_table(str(image), planned)

    table = json.loads(run(["sfdisk", "--json", image]).stdout)["partitiontable"]
    assert table["label"] == "gpt"
    written = [
        (part["start"], part["start"] + part["size"] - 1, part["type"].lower(), part["name"])
        for part in table["partitions"]
    ]
    assert written == [
        (part.first_sector, part.last_sector, str(TYPES[part.type]), part.name) for part in planned
    ]
    assert [part.number for part in planned] == [1, 2, 3]
    assert "No errors detected" in run(["sfdisk", "--verify", image]).stdout


def test_partitions_beyond_the_disk_are_refused(image: Path) -> None:
    planned = system_partitions(disk("sda", gib=11), "lvm", 11 * 2**20)
    with pytest.raises(SlipwayError, match="cannot be partitioned"):
        write_table(str(image), planned)
