"""Choosing disks: what answers mean, and what is refused before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from agent.core.errors import SlipwayError
from installer.inventory.model import Disk
from installer.plan.disks import Choice, choose_disks
from tests.unit.storage.machines import content, disk, machine, setup

FLASH = disk("nvme0n1", gib=480, bus="nvme", model="FastCo 1", wwn="eui.01", links=())
SMALL = disk("sda", gib=32, model="Spin 1", rotational=True, wwn="0x5001")
LARGE = disk("sdb", gib=2000, model="Spin 2", rotational=True, wwn="0x5002")
ALL = (FLASH, SMALL, LARGE)


def _choose(*disks: Disk, wipe: str = "none", **table: Any) -> Choice:
    return choose_disks(setup(**table), wipe, machine(*(disks or ALL)))


def _names(choice: Choice) -> list[str]:
    return [item.name for item in choice.system]


@pytest.mark.parametrize(
    "entry",
    [
        "sda",
        "/dev/sda",
        "SER-SDA",
        "QEMU_HARDDISK_SER-SDA",
        "0x5001",
        "/dev/disk/by-id/ata-QEMU_HARDDISK_SER-SDA",
        "ata-QEMU_HARDDISK_SER-SDA",
    ],
)
def test_a_disk_has_many_names(entry: str) -> None:
    assert _names(_choose(disk_list=[entry])) == ["sda"]


def test_names_with_a_folder() -> None:
    array = disk("cciss/c0d0")
    assert _names(_choose(array, disk_list=["cciss/c0d0"])) == ["cciss/c0d0"]


def test_the_order_of_the_list_is_kept() -> None:
    table: dict[str, Any] = {
        "filesystem": "btrfs",
        "btrfs": {"raid": "raid0"},
        "disk_list": ["sdb", "sda"],
    }
    assert _names(_choose(**table)) == ["sdb", "sda"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"disk_list": ["sdz"]}, "this machine has no disk sdz"),
        (
            {"filesystem": "btrfs", "btrfs": {"raid": "raid0"}, "disk_list": ["sda", "SER-SDA"]},
            "SER-SDA means /dev/sda, which is chosen already",
        ),
        ({"filter": {"ID_BUS": "scsi"}}, "no disk matches"),
        ({"filter": {"ID_BUS": "*"}}, "3 disks match and one is wanted"),
        ({"select": {"rotational": True}}, "2 disks fit and 1 is wanted"),
        ({"select": {"size": "> 1P"}}, "0 disks fit and 1 are wanted"),
        (
            {"filesystem": "zfs", "zfs": {"raid": "raid1"}, "select": {"count": 4}},
            "3 disks fit and 4 are wanted",
        ),
        (
            {"filesystem": "zfs", "zfs": {"raid": "raid1"}, "select": {"count": 2}},
            "3 disks fit and 2 are wanted",
        ),
    ],
)
def test_what_does_not_choose_is_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(SlipwayError, match=message):
        _choose(**table)


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ({"model": "FastCo*"}, ["nvme0n1"]),
        ({"bus": ["nvme", "usb"]}, ["nvme0n1"]),
        ({"rotational": False}, ["nvme0n1"]),
        ({"size": ">= 2T"}, ["sdb"]),
        ({"size": [">= 400GiB", "< 1T"]}, ["nvme0n1"]),
        ({"size": "= 32GiB"}, ["sda"]),
        ({"sort": "smallest"}, ["sda"]),
        ({"sort": "largest", "count": 1}, ["sdb"]),
        ({"sort": "name", "count": 1}, ["nvme0n1"]),
        ({"serial": "SER-SDB"}, ["sdb"]),
        ({"wwn": "0x*2"}, ["sdb"]),
        ({"name": "/dev/disk/by-id/*SDA"}, ["sda"]),
        ({"udev": {"ID_SERIAL": "*SDB"}}, ["sdb"]),
        ({"rotational": True, "not": {"model": "Spin 2"}}, ["sda"]),
        ({"any": [{"model": "nothing"}, {"size": "> 1T"}]}, ["sdb"]),
        ({"all": [{"rotational": True}, {"size": "< 1T"}]}, ["sda"]),
    ],
)
def test_conditions(select: dict[str, Any], expected: list[str]) -> None:
    assert _names(_choose(select=select)) == expected


def test_several_disks_in_the_order_asked_for() -> None:
    table: dict[str, Any] = {"filesystem": "btrfs", "btrfs": {"raid": "raid0"}}
    largest = _choose(select={"count": 2, "sort": "largest"}, **table)
    assert _names(largest) == ["sdb", "nvme0n1"]
    assert largest.reasons["/dev/sda"] == "fits select, but comes after the first 2"
    assert _names(_choose(select={"rotational": True}, **table)) == ["sda", "sdb"]


def test_all_means_all() -> None:
    lacking = disk("sdc", udev={"ID_BUS": "ata"})
    matching = disk("sdd", udev={"ID_BUS": "ata", "ID_VENDOR": "ACME"})
    table: dict[str, Any] = {"filter": {"ID_BUS": "ata", "ID_VENDOR": "*"}}
    assert _names(_choose(lacking, matching, filter_match="all", **table)) == ["sdd"]
    with pytest.raises(SlipwayError, match="2 disks match"):
        _choose(lacking, matching, filter_match="any", **table)


def test_every_disk_has_its_reason() -> None:
    stick = disk("sdx", in_use="holds the installation medium")
    tiny = disk("sdy", gib=1)
    locked = disk("sdz", read_only=True)
    choice = _choose(SMALL, LARGE, stick, tiny, locked, select={"size": "> 1T"})
    assert choice.reasons == {
        "/dev/sda": "does not fit select",
        "/dev/sdb": "fits select",
        "/dev/sdx": "in use: holds the installation medium",
        "/dev/sdy": "smaller than 8 GiB",
        "/dev/sdz": "read-only",
    }


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"in_use": "mounted on /data"}, "mounted on /data"),
        ({"read_only": True}, "read-only"),
        ({"gib": 4}, "smaller than 8 GiB"),
    ],
)
def test_a_named_disk_that_cannot_be_used_is_an_error(values: Any, reason: str) -> None:
    with pytest.raises(SlipwayError, match=f"sda cannot be used: .*{reason}"):
        _choose(disk("sda", **values), disk_list=["sda"])


def test_two_disks_with_one_serial_number_are_refused() -> None:
    legs = [disk(name, serial="SAME", wwn="0x50") for name in ("sda", "sdb")]
    with pytest.raises(SlipwayError, match="SAME means more than one disk"):
        _choose(*legs, disk_list=["SAME"])
    with pytest.raises(SlipwayError, match="have the same serial number SAME"):
        _choose(*legs, disk_list=["sda"])


def test_namespaces_of_one_controller_are_different_disks() -> None:
    spaces = [disk(f"nvme0n{n}", serial="SAME", wwn=f"eui.{n}") for n in (1, 2)]
    assert _names(_choose(*spaces, disk_list=["nvme0n2"])) == ["nvme0n2"]


def test_4kn_disks_start_with_uefi_only() -> None:
    native = disk("sda", logical_sector_bytes=4096)
    table = setup(disk_list=["sda"])
    assert choose_disks(table, "none", machine(native, firmware="uefi")).system == (native,)
    with pytest.raises(SlipwayError, match="4096 bytes cannot be started from in BIOS mode"):
        choose_disks(table, "none", machine(native, firmware="bios"))


USED = disk("sda", contents=(content("/dev/sda", "gpt"), content("/dev/sda1", label="home")))


@pytest.mark.parametrize("used", [USED, disk("sda", holders=("md127",))])
def test_data_is_refused_without_consent(used: Disk) -> None:
    with pytest.raises(SlipwayError, match="carry data"):
        _choose(used, disk_list=["sda"])
    with pytest.raises(SlipwayError, match="carry data"):
        _choose(used, select={"sort": "smallest"})


def test_the_refusal_says_what_is_there_and_what_to_add() -> None:
    with pytest.raises(SlipwayError) as refusal:
        _choose(USED, disk_list=["sda"])
    assert 'gpt on /dev/sda, ext4 on /dev/sda1 "home"' in str(refusal.value)
    assert 'wipe = "selected"' in str(refusal.value)
    assert 'disk-list = ["SER-SDA"]' in str(refusal.value)


def test_consent() -> None:
    assert _names(_choose(USED, disk_list=["sda"], wipe="selected")) == ["sda"]
    assert _names(_choose(USED, disk_list=["SER-SDA"])) == ["sda"]
    assert _names(_choose(USED, disk_list=["ata-QEMU_HARDDISK_SER-SDA"])) == ["sda"]


@pytest.mark.parametrize(
    ("table", "consents"),
    [
        ({"select": {"serial": "SER-SDA"}}, True),
        ({"select": {"serial": "SER-*"}}, False),
        ({"select": {"model": "QEMU HARDDISK"}}, False),
        ({"filter": {"ID_SERIAL": "QEMU_HARDDISK_SER-SDA"}}, True),
        ({"filter": {"ID_SERIAL": "*SDA"}}, False),
        ({"filter": {"ID_BUS": "ata"}}, False),
    ],
)
def test_an_exact_identity_in_a_description_is_consent(
    table: dict[str, Any], consents: bool
) -> None:
    if consents:
        assert _names(_choose(USED, **table)) == ["sda"]
    else:
        with pytest.raises(SlipwayError, match="carry data"):
            _choose(USED, **table)


def test_a_place_is_no_identity() -> None:
    placed = USED.model_copy(update={"links": ("/dev/disk/by-path/pci-1",)})
    with pytest.raises(SlipwayError, match="carry data"):
        _choose(placed, disk_list=["/dev/disk/by-path/pci-1"])


def test_data_pools_take_what_the_node_leaves() -> None:
    pool = {"name": "bulk", "layout": "zfs", "zfs": {"raid": "raid0"}, "select": {"sort": "name"}}
    choice = _choose(disk_list=["sda"], data=[pool])
    assert [item.name for item in choice.data["bulk"]] == ["nvme0n1", "sdb"]
    with pytest.raises(SlipwayError, match="sda means /dev/sda, which is chosen already"):
        _choose(disk_list=["sda"], data=[{"name": "x", "layout": "lvm-thin", "disk_list": ["sda"]}])


def test_an_extra_pool_may_be_smaller_than_a_node() -> None:
    pool: dict[str, Any] = {"name": "x", "layout": "lvm-thin"}
    for way in ({"disk_list": ["sdb"]}, {"select": {"sort": "name"}}):
        choice = _choose(disk("sda"), disk("sdb", gib=4), data=[pool | way])
        assert [item.name for item in choice.data["x"]] == ["sdb"]
