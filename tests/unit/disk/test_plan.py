"""How a new disk takes an old one's place: decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.errors import SlipwayError
from agent.disk.model import (
    Disk,
    DiskSet,
    MakeBootable,
    MakeEsp,
    Member,
    RecordEsps,
    ReplaceMember,
    Slot,
    WriteTable,
)
from agent.disk.plan import ESP_TYPE, check_new, find_place, peer_of, plan_replace

A = Member("11", "/dev/disk/by-id/ata-A-part3", "/dev/sda", good=True)
B = Member("12", "/dev/disk/by-id/ata-B-part3", "/dev/sdb", good=True)
GONE = Member("12", "/dev/disk/by-id/ata-B-part3", "", good=False)
ROOT = DiskSet("zfs", "rpool", (A, B))
DEGRADED = DiskSet("zfs", "rpool", (A, GONE))
SLOTS = (
    Slot(1, 34, 2014, "21686148-6449-6e6f-744e-656564454649", "bios-boot"),
    Slot(2, 2048, 1048576, ESP_TYPE, "esp"),
    Slot(3, 1050624, 8000000, "6a898cc3-1dd2-11b2-99a6-080020736631", "system"),
)
NEW = Disk("/dev/nvme0n1", 9050657, 512)
PEER = Disk("/dev/sda", 9050657, 512)


@pytest.mark.parametrize("old", ["missing", "ata-B", "/dev/disk/by-id/ata-B", "/dev/sdc"])
def test_a_disk_that_is_gone_is_found(old: str) -> None:
    """/dev/sdc is the new disk, in the slot of the old one."""
    assert find_place(old, "/dev/sdc", [DEGRADED]) == (DEGRADED, GONE)


def test_a_disk_that_is_there_is_found() -> None:
    assert find_place("/dev/sdb", "/dev/sdc", [ROOT]) == (ROOT, B)


@pytest.mark.parametrize(
    ("old", "sets", "message"),
    [
        ("missing", [ROOT], "no disk is missing"),
        ("/dev/sdd", [ROOT], "not a disk of any"),
        ("/dev/sdd", [DEGRADED], "not a disk of any"),
        ("/dev/sda", [DEGRADED], "the disk works, and another of rpool is missing"),
        (
            "missing",
            [DEGRADED, DiskSet("md", "/dev/md127", (Member("", "", "", False),))],
            "more than one disk is missing",
        ),
        (
            "missing",
            [DiskSet("zfs", "rpool", (A, GONE, replace(GONE, path="/dev/disk/by-id/ata-C")))],
            "more than one disk is missing",
        ),
    ],
)
def test_what_is_no_place(old: str, sets: list[DiskSet], message: str) -> None:
    with pytest.raises(SlipwayError, match=message):
        find_place(old, "/dev/sdc", sets)


def test_a_failing_disk_may_go_while_another_is_missing() -> None:
    failing = replace(A, good=False)
    group = DiskSet("zfs", "rpool", (failing, B, GONE))
    assert find_place("/dev/sda", "/dev/sdc", [group]) == (group, failing)


def test_places_of_an_array_without_names_are_all_the_same() -> None:
    nobody = Member("", "", "", good=False)
    group = DiskSet("md", "/dev/md127", (A, nobody, nobody))
    assert find_place("missing", "/dev/sdc", [group]) == (group, nobody)


def test_the_peer_is_another_disk_where_there_is_one() -> None:
    assert peer_of(ROOT, A) == "/dev/sdb"
    assert peer_of(DiskSet("zfs", "rpool", (A,)), A) == "/dev/sda"
    with pytest.raises(SlipwayError, match="no disk is left"):
        peer_of(DiskSet("zfs", "rpool", (GONE,)), GONE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contents": ("ext4 on /dev/nvme0n1",)}, "carries data: ext4 on /dev/nvme0n1"),
        ({"used_by": ("/srv",)}, "in use: /srv"),
        ({"sectors": 9050656}, "9050656 sectors, 9050657 are needed"),
        ({"sector_bytes": 4096}, "sectors of 4096 bytes, /dev/sda of 512"),
    ],
)
def test_disks_that_are_refused(change: dict[str, object], message: str) -> None:
    check_new(NEW, PEER, SLOTS, wipe=False)
    with pytest.raises(SlipwayError, match=message):
        check_new(replace(NEW, **change), PEER, SLOTS, wipe=False)  # type: ignore[arg-type]


def test_consent_covers_data_and_nothing_else() -> None:
    full = replace(NEW, contents=("gpt on /dev/nvme0n1",))
    check_new(full, PEER, SLOTS, wipe=True)
    with pytest.raises(SlipwayError, match="in use"):
        check_new(replace(full, used_by=("/srv",)), PEER, SLOTS, wipe=True)


def test_a_root_disk_is_made_bootable_before_data_is_copied() -> None:
    new = replace(NEW, partitions=("/dev/nvme0n1p1",))
    actions = plan_replace(
        (DEGRADED, GONE), new, SLOTS, ("AAAA-0001", "BBBB-0002"), "BBBB-0002", "CCCC-0003"
    )
    assert actions == (
        WriteTable("/dev/nvme0n1", SLOTS, ("/dev/nvme0n1p1",), 512),
        MakeEsp("/dev/nvme0n1p2", "CCCC-0003", 512),
        RecordEsps(("AAAA-0001", "CCCC-0003")),
        MakeBootable("CCCC-0003"),
        ReplaceMember(DEGRADED, GONE, "/dev/nvme0n1p3"),
    )


def test_a_disk_of_an_extra_pool_gets_no_boot_loader() -> None:
    data = (Slot(1, 2048, 8000000, SLOTS[2].type, "data"),)
    actions = plan_replace((ROOT, B), NEW, data, ("AAAA-0001",), "", "CCCC-0003")
    assert actions == (
        WriteTable("/dev/nvme0n1", data, (), 512),
        ReplaceMember(ROOT, B, "/dev/nvme0n1p1"),
    )


def test_a_second_try_forgets_the_first() -> None:
    new = replace(NEW, esp="CCCC-0003")
    esps = ("AAAA-0001", "CCCC-0003")
    actions = plan_replace((DEGRADED, GONE), new, SLOTS, esps, "", "DDDD-0004")
    assert RecordEsps(("AAAA-0001", "DDDD-0004")) in actions
