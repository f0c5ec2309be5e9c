"""Whole storage plans: each layout's actions."""

from __future__ import annotations

from typing import Any

import pytest

from agent.config import Directory, LvmThin, Zfs
from agent.core.errors import SlipwayError
from installer.answers.disks import DiskSetup
from installer.inventory.model import Inventory
from installer.plan.model import PlannedDisk, StoragePlan
from installer.plan.storage import plan_storage
from installer.plan.storage_actions import (
    CreateRaid,
    CreateVolumeGroup,
    CreateZpool,
    MakeFilesystem,
    Mount,
    Partition,
    WipeDisk,
)
from tests.unit.storage.machines import GIB, disk, machine, setup


def _plan(table: DiskSetup, found: Inventory) -> StoragePlan:
    return plan_storage(table, "none", found)


def _kinds(plan: StoragePlan) -> list[str]:
    return [action.kind for action in plan.prepare]


def _disk(plan: StoragePlan, path: str) -> PlannedDisk:
    return next(item for item in plan.disks if item.path == path)


def test_lvm_on_one_disk() -> None:
    plan = _plan(setup(), machine(disk("sda"), disk("sdb"), memory_mib=16384))
    assert _kinds(plan) == [
        "wipe-disk",
        "partition-disk",
        "make-filesystem",
        "create-volume-group",
        "create-logical-volume",
        "create-logical-volume",
        "create-thin-pool",
        "make-filesystem",
        "make-swap",
        "mount",
    ]
    assert plan.prepare[0] == WipeDisk(device="/dev/sda", serial="SER-SDA", size_bytes=32 * GIB)
    assert plan.prepare[-1] == Mount(device="/dev/mapper/slipway-root", path="/", filesystem="ext4")
    assert [item.use for item in plan.disks] == ["system", "untouched"]
    assert plan.kernel_root == ("root=/dev/mapper/slipway-root",)
    assert [line[:3] for line in plan.fstab] == [
        ("/dev/mapper/slipway-root", "/", "ext4"),
        ("/dev/mapper/slipway-swap", "none", "swap"),
    ]
    assert plan.guests == LvmThin(volume_group="slipway", thin_pool="data")


def test_partitions_of_a_node_disk() -> None:
    plan = _plan(setup(), machine(disk("sda", gib=32)))
    assert _disk(plan, "/dev/sda").partitions == (
        _partition(1, "bios-boot", "bios-boot", 34, 2047),
        _partition(2, "esp", "esp", 2048, 513 * 2048 - 1),
        _partition(3, "system", "lvm", 513 * 2048, (32 * 1024 - 1) * 2048 - 1),
    )


def _partition(number: int, name: str, kind: Any, first: int, last: int) -> Partition:
    return Partition(
        number=number,
        name=name,
        type=kind,
        first_sector=first,
        last_sector=last,
        device=f"/dev/sda{number}",
    )


def test_large_disks_have_a_large_esp() -> None:
    plan = _plan(setup(lvm={"hdsize": 20}), machine(disk("sda", gib=101)))
    _, esp, system = _disk(plan, "/dev/sda").partitions
    assert esp.last_sector + 1 == 1025 * 2048
    assert system.last_sector + 1 == 20 * 1024 * 2048


def test_no_swap_and_no_pool() -> None:
    plan = _plan(setup(lvm={"swapsize": 0, "maxvz": 0}), machine(disk("sda")))
    assert not {"make-swap", "create-thin-pool"} & set(_kinds(plan))
    assert len(plan.fstab) == 1
    assert plan.guests == LvmThin(volume_group="slipway", thin_pool="")


def test_too_small_a_root_is_refused() -> None:
    with pytest.raises(SlipwayError, match="2.0 GiB are left for the root"):
        _plan(setup(lvm={"maxroot": 2}), machine(disk("sda")))
    with pytest.raises(SlipwayError, match="left for the root"):
        _plan(setup(lvm={"swapsize": 100}), machine(disk("sda")))
    with pytest.raises(SlipwayError, match="4.0 GiB are too small for a node"):
        _plan(setup(lvm={"hdsize": 4}), machine(disk("sda")))


def test_xfs_is_not_checked_at_start() -> None:
    plan = _plan(setup(filesystem="xfs"), machine(disk("sda")))
    assert plan.fstab[0][2:] == ("xfs", "defaults", 0, 0)


def test_lvm_on_a_mirror() -> None:
    table = setup(disk_list=["sda", "nvme0n1"], lvm={"raid": "raid1"})
    plan = _plan(table, machine(disk("sda", gib=32), disk("nvme0n1", gib=33)))
    (array,) = [action for action in plan.prepare if isinstance(action, CreateRaid)]
    assert array.members == ("/dev/sda3", "/dev/nvme0n1p3")
    assert CreateVolumeGroup(name="slipway", devices=("/dev/md/slipway",)) in plan.prepare
    assert [esp[1] for esp in plan.esps] == ["/dev/sda2", "/dev/nvme0n1p2"]


def test_zfs() -> None:
    table = setup(
        filesystem="zfs",
        disk_list=["sda", "vdb"],
        zfs={"raid": "raid1", "compress": "zstd", "copies": 2, "ashift": 13, "arc-max": 512},
    )
    plan = _plan(table, machine(disk("sda"), disk("vdb", links=())))
    (pool,) = [action for action in plan.prepare if isinstance(action, CreateZpool)]
    assert pool.vdevs == (
        "mirror",
        "/dev/disk/by-id/ata-QEMU_HARDDISK_SER-SDA-part3",
        "/dev/vdb3",
    )
    assert pool.properties["ashift"] == "13"
    assert {"compression": "zstd", "copies": "2"}.items() <= pool.dataset_properties.items()
    assert "checksum" not in pool.dataset_properties
    assert plan.kernel_root[:2] == ("root=ZFS=rpool/ROOT/slipway", "boot=zfs")
    assert len(plan.kernel_root) == 3
    assert [action.kind for action in plan.finish] == ["export-zpool"]
    assert plan.guests == Zfs(dataset="rpool/data")
    assert plan.fstab == ()
    assert plan.zfs_arc_max_bytes == 512 * 2**20


def test_a_node_with_zfs_has_a_host_id_of_its_own() -> None:
    def host_id(system: str) -> int:
        pool = {"name": "fast", "layout": "zfs", "disk_list": ["sdb"], "zfs": {"raid": "raid0"}}
        table = setup(filesystem="ext4", disk_list=[system], data=[pool])
        parameter = _plan(table, machine(disk(system), disk("sdb"))).kernel_root[-1]
        name, _, value = parameter.partition("=")
        assert name == "spl.spl_hostid"
        return int(value, 0)

    assert host_id("sda") == host_id("sda") != host_id("sdc")
    assert 0 < host_id("sda") < 2**32


def test_btrfs() -> None:
    table = setup(
        filesystem="btrfs",
        disk_list=["sda", "sdb"],
        btrfs={"raid": "raid1", "compress": "zstd"},
    )
    plan = _plan(table, machine(disk("sda"), disk("sdb")))
    made = [item for item in plan.prepare if isinstance(item, MakeFilesystem)][-1]
    assert made.options == ("--data", "raid1", "--metadata", "raid1")
    mounted = [item for item in plan.prepare if isinstance(item, Mount)][-1]
    assert mounted.options == ("subvol=@", "compress=zstd", "degraded")
    assert plan.kernel_root == (
        f"root=UUID={made.uuid}",
        "rootflags=subvol=@,compress=zstd,degraded",
    )
    assert isinstance(plan.guests, Directory)


def test_btrfs_without_redundancy_is_never_degraded() -> None:
    table = setup(filesystem="btrfs", btrfs={"raid": "raid0", "compress": "on"})
    plan = _plan(table, machine(disk("sda")))
    assert plan.kernel_root[1] == "rootflags=subvol=@,compress"


def test_data_pools() -> None:
    pools = [
        {"name": "fast", "layout": "lvm-thin", "disk_list": ["sdb"]},
        {"name": "tank", "layout": "zfs", "disk_list": ["sdc"], "zfs": {"raid": "raid0"}},
        {"name": "bulk", "layout": "btrfs", "disk_list": ["sdd"], "btrfs": {"raid": "raid0"}},
    ]
    plan = _plan(setup(data=pools), machine(*(disk(f"sd{letter}") for letter in "abcd")))
    assert plan.data_pools == {
        "fast": LvmThin(volume_group="fast", thin_pool="data"),
        "tank": Zfs(dataset="tank"),
        "bulk": Directory.model_validate({"path": "/var/lib/slipway/pools/bulk"}),
    }
    assert [item.use for item in plan.disks] == ["system", "data", "data", "data"]
    assert [part.type for part in _disk(plan, "/dev/sdc").partitions] == ["zfs"]
    assert plan.fstab[-1][1] == "/var/lib/slipway/pools/bulk"
    assert "nofail" in plan.fstab[-1][3]
    assert len(plan.esps) == 1


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        ({"name": "slipway", "layout": "lvm-thin"}, "the node's own pool"),
        ({"name": "mirror", "layout": "zfs", "zfs": {"raid": "raid0"}}, "cannot be called mirror"),
        ({"name": "tiny", "layout": "lvm-thin", "lvm": {"hdsize": 3}}, "too small for a thin pool"),
    ],
)
def test_data_pools_that_cannot_be(pool: dict[str, Any], message: str) -> None:
    with pytest.raises(SlipwayError, match=message):
        _plan(setup(data=[pool | {"disk_list": ["sdb"]}]), machine(disk("sda"), disk("sdb")))


@pytest.mark.parametrize(
    ("memory_mib", "asked", "expected_mib"),
    [
        (8192, None, 819),
        (512, None, 64),
        (1024 * 1024, None, 16384),
        (8192, 0, 0),
        (8192, 100000, 7168),
        (8192, 1, 64),
        (512, 4096, 64),
    ],
)
def test_limit_of_the_zfs_cache(memory_mib: int, asked: int | None, expected_mib: int) -> None:
    options = {"raid": "raid0"} | ({} if asked is None else {"arc-max": asked})
    table = setup(filesystem="zfs", zfs=options)
    plan = _plan(table, machine(disk("sda"), memory_mib=memory_mib))
    assert plan.zfs_arc_max_bytes == expected_mib * 2**20


def test_a_plan_survives_json() -> None:
    plan = _plan(setup(), machine(disk("sda", contents=()), disk("sdb", holders=("md0",))))
    assert StoragePlan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize("name", ["sda", "vda", "nvme0n1", "mmcblk0", "cciss/c0d0"])
def test_partitions_of_every_kind_of_disk(name: str) -> None:
    plan = _plan(setup(disk_list=[name]), machine(disk(name)))
    between = "p" if name[-1].isdigit() else ""
    devices = [part.device for part in _disk(plan, f"/dev/{name}").partitions]
    assert devices == [f"/dev/{name}{between}{number}" for number in (1, 2, 3)]


def test_4kn_disks_have_no_bios_boot_partition() -> None:
    plan = _plan(setup(), machine(disk("sda", logical_sector_bytes=4096)))
    esp, system = _disk(plan, "/dev/sda").partitions
    assert (esp.type, system.type) == ("esp", "lvm")
    assert (esp.first_sector * 4096) % 2**20 == 0 and (system.first_sector * 4096) % 2**20 == 0
    assert (system.last_sector + 1) * 4096 <= 32 * 2**30


def test_4kn_disks_of_extra_pools_need_no_uefi() -> None:
    pool = {"name": "x", "layout": "lvm-thin", "disk_list": ["sdb"]}
    native = disk("sdb", logical_sector_bytes=4096)
    plan = _plan(setup(data=[pool]), machine(disk("sda"), native, firmware="bios"))
    assert _disk(plan, "/dev/sdb").use == "data"
