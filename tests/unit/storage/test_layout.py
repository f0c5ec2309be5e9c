"""Names and ids that plans give to disks and to what is made on them."""

from __future__ import annotations

import pytest

from agent.boot.partition import partition_device
from installer.plan.storage.layout import derived_uuid, fat_id, stable_link, stable_partition
from installer.plan.storage.partitions import data_partitions
from tests.unit.storage.machines import disk

BY_ID = "/dev/disk/by-id"


@pytest.mark.parametrize(
    ("links", "serial", "expected"),
    [
        ((f"{BY_ID}/ata-X_1", f"{BY_ID}/wwn-0x5000"), "X_1", f"{BY_ID}/ata-X_1"),
        ((f"{BY_ID}/wwn-0x5000", "/dev/disk/by-path/pci-1"), "", f"{BY_ID}/wwn-0x5000"),
        (
            # The shorter one is there for all namespaces of the controller.
            (f"{BY_ID}/nvme-X_1", f"{BY_ID}/nvme-X_1_2", f"{BY_ID}/nvme-eui.01"),
            "X_1_2",
            f"{BY_ID}/nvme-X_1_2",
        ),
        (("/dev/disk/by-path/pci-1",), "", "/dev/disk/by-path/pci-1"),
        ((), "", "/dev/sda"),
    ],
)
def test_the_most_stable_name(links: tuple[str, ...], serial: str, expected: str) -> None:
    found = disk("sda", links=links, udev={"ID_SERIAL": serial})
    assert stable_link(found) == expected
    assert stable_link(found.model_copy(update={"links": links[::-1]})) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/dev/sda", "/dev/sda3"),
        ("/dev/nvme0n1", "/dev/nvme0n1p3"),
        ("/dev/mmcblk0", "/dev/mmcblk0p3"),
        ("/dev/cciss/c0d0", "/dev/cciss/c0d0p3"),
        ("/dev/vda", "/dev/vda3"),
    ],
)
def test_partitions_are_called_as_the_kernel_does(name: str, expected: str) -> None:
    assert partition_device(name, 3) == expected


def test_a_partition_goes_with_its_disks_link() -> None:
    (data,) = data_partitions(disk("sda"), "zfs", 32 * 2**20)
    assert stable_partition(disk("sda"), data) == f"{BY_ID}/ata-QEMU_HARDDISK_SER-SDA-part1"
    assert stable_partition(disk("sda", links=()), data) == "/dev/sda1"


def test_ids_go_with_the_disk_and_not_with_its_place() -> None:
    here = disk("sda")
    moved = here.model_copy(update={"name": "sdb", "path": "/dev/sdb"})
    assert fat_id(here) == fat_id(moved)
    assert fat_id(here) != fat_id(disk("sdb"))
    assert derived_uuid([here], "root") == derived_uuid([moved], "root")
    assert derived_uuid([here], "root") != derived_uuid([here], "data")
    assert derived_uuid([here], "root") != derived_uuid([here, disk("sdb")], "root")
