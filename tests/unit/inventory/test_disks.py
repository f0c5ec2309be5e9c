"""Disks from what lsblk, udev, wipefs and pvs printed on a machine with many kinds of disks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from installer.inventory.disks import disk_nodes, make_disk, partition_paths
from installer.inventory.model import Content, Disk, VolumeGroup
from installer.inventory.signatures import contents_from_udev, parse_pvs, parse_wipefs
from installer.inventory.udev import parse_database

RECORDED = Path(__file__).parents[2] / "data/inventory"
DEVICES = {
    device.properties["DEVNAME"]: device
    for device in parse_database((RECORDED / "udev.txt").read_text())
    if "DEVNAME" in device.properties
}


@pytest.fixture
def disks() -> dict[str, Disk]:
    nodes = disk_nodes((RECORDED / "lsblk.json").read_text())
    return {node["name"]: make_disk(node, DEVICES, ()) for node in nodes}


def test_every_disk_and_nothing_else_is_listed(disks: dict[str, Disk]) -> None:
    # Not listed: sr0, md127 and LVM's devices.
    expected = "sda sdb sdc sdd sde sdf sdg mmcblk0 vda vdb nvme0n1"
    assert list(disks) == expected.split()


def test_memory_and_boot_areas_are_no_disks() -> None:
    names = ["zram0", "ram0", "mmcblk0boot0", "fd0", "nbd0", "mmcblk0", "cciss/c0d0"]
    devices = [{"name": name, "type": "disk", "size": 2**30} for name in names]
    devices.append({"name": "sdz", "type": "disk", "size": 0})
    nodes = disk_nodes(json.dumps({"blockdevices": devices}))
    assert [node["name"] for node in nodes] == ["mmcblk0", "cciss/c0d0"]


def test_identity_of_disks(disks: dict[str, Disk]) -> None:
    flash = disks["sde"]
    assert (flash.path, flash.size_bytes, flash.bus) == ("/dev/sde", 20 * 2**30, "ata")
    assert (flash.model, flash.serial, flash.rotational) == ("SLIPWAY-SSD", "SATA0001", False)
    assert disks["sdf"].wwn == "0x5000c50015ea71ac"
    assert disks["sdf"].rotational
    assert disks["sda"].logical_sector_bytes == 4096
    assert disks["sdd"].read_only
    assert disks["sdg"].removable
    buses = {name: disks[name].bus for name in ("sdb", "sdg", "vda", "nvme0n1", "mmcblk0")}
    assert buses == {
        "sdb": "scsi",
        "sdg": "usb",
        "vda": "virtio",
        "nvme0n1": "nvme",
        "mmcblk0": "mmc",
    }


def test_links_name_the_hardware(disks: dict[str, Disk]) -> None:
    assert "/dev/disk/by-id/virtio-VIRT0001" in disks["vda"].links
    # This disk has a link named after the LVM label on it, and one with its sequence number.
    assert disks["vdb"].links == (
        "/dev/disk/by-path/pci-0000:00:06.0",
        "/dev/disk/by-path/virtio-pci-0000:00:06.0",
    )


def test_use_and_holders(disks: dict[str, Disk]) -> None:
    in_use = {name: disk.in_use for name, disk in disks.items() if disk.in_use}
    assert in_use == {
        "sde": "carries swap that is in use",
        "sdg": "holds the installation medium",
    }
    assert disks["sdb"].holders == ("md127",)
    assert disks["sdf"].holders == ("slipway-data", "slipway-data_tdata", "slipway-root")
    assert disks["sde"].partitions == ("/dev/sde1", "/dev/sde2", "/dev/sde3")


def _node(name: str, kind: str = "disk", **values: object) -> dict[str, object]:
    node = json.loads((RECORDED / "lsblk.json").read_text())["blockdevices"][0]
    return {**node, "name": name, "path": f"/dev/{name}", "type": kind} | values


def test_a_mount_above_a_volume_counts() -> None:
    root = _node("slipway-root", "lvm", mountpoints=["/data"])
    node = _node("sdx", children=[_node("sdx1", "part", children=[root])])
    assert make_disk(node, {}, ()).in_use == "mounted on /data"


def test_paths_to_one_disk_and_firmware_raid_are_in_use() -> None:
    leg = _node("sdx", children=[_node("mpatha", "mpath")])
    assert make_disk(leg, {}, ()).in_use == "one of the paths to mpatha"
    member = Content(device="/dev/sdx", kind="isw_raid_member")
    assert "firmware RAID" in make_disk(_node("sdx"), {}, (member,)).in_use


def test_a_disk_that_cannot_be_read_is_in_use() -> None:
    assert make_disk(_node("sdx"), {}, (), "cannot be read: EIO").in_use == "cannot be read: EIO"


def test_signatures_of_a_disk_and_its_partitions() -> None:
    node = next(n for n in disk_nodes((RECORDED / "lsblk.json").read_text()) if n["name"] == "sde")
    paths = (node["path"], *partition_paths(node))
    contents = parse_wipefs(paths, (RECORDED / "wipefs-sde.json").read_text())
    assert [(item.device, item.kind, item.label) for item in contents] == [
        ("/dev/sde", "gpt", ""),
        ("/dev/sde1", "ext4", "files"),
        ("/dev/sde2", "swap", "swap"),
        ("/dev/sde3", "xfs", "scratch"),
    ]
    assert contents[1].offset_bytes == 0x438
    assert contents[1].uuid == "6c2db151-afdf-4cc3-ae70-8cfbfbcfba96"


def test_a_blank_disk_has_no_signatures() -> None:
    assert parse_wipefs(["/dev/sda"], (RECORDED / "wipefs-sda.json").read_text()) == ()


def test_without_root_udev_knows_the_contents() -> None:
    found = [
        content
        for path in ("/dev/sda", "/dev/sde", "/dev/sde1", "/dev/sdf1")
        for content in contents_from_udev(path, DEVICES[path].properties)
    ]
    assert [(item.device, item.kind, item.label) for item in found] == [
        ("/dev/sde", "gpt", ""),
        ("/dev/sde1", "ext4", "files"),
        ("/dev/sdf1", "LVM2_member", ""),
    ]


def test_volume_groups() -> None:
    assert parse_pvs((RECORDED / "pvs.json").read_text()) == (
        VolumeGroup(
            name="slipway",
            uuid="uj2BKv-3JNC-eHQK-T0KE-tJxz-pMyT-HXpliX",
            devices=("/dev/sdf1", "/dev/vdb"),
        ),
    )
    # A physical volume that belongs to no group has an empty name.
    assert parse_pvs('{"report":[{"pv":[{"pv_name":"/dev/sdx","vg_name":"","vg_uuid":""}]}]}') == ()
