"""What replacing a disk runs and writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import config
from agent.core.command import Result
from agent.core.errors import CommandFailed, SlipwayError
from agent.disk import clear, execute, progress
from agent.disk.execute import (
    record_esps,
    replace_member,
    stable_link,
    table_script,
    write_table,
)
from agent.disk.model import DiskSet, Member, Slot, WriteTable
from agent.disk.plan import ESP_TYPE

NODE = """fqdn = "node1.example.org"

[storage]
kind = "zfs"
dataset = "rpool/data"

[boot]
esps = ["AAAA-0001", "BBBB-0002"]
kernel_parameters = ["ro"]
"""


def test_the_configuration_names_the_new_esp(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(NODE)
    record_esps(("AAAA-0001", "CCCC-0003"), path)
    assert path.read_text() == NODE.replace("BBBB-0002", "CCCC-0003")
    assert config.load(path).boot.esps == ("AAAA-0001", "CCCC-0003")


def test_a_configuration_of_another_form_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    other = NODE.replace("esps =", '"esps" =')
    path.write_text(other)
    with pytest.raises(SlipwayError, match="was not found"):
        record_esps(("AAAA-0001",), path)
    assert path.read_text() == other


def test_the_table_begins_before_the_first_mebibyte() -> None:
    script = table_script((Slot(1, 34, 2014, "T1", "bios-boot"), Slot(2, 2048, 99, ESP_TYPE, "e")))
    assert script.splitlines() == [
        "label: gpt",
        "unit: sectors",
        "first-lba: 34",
        '1: start=34, size=2014, type=T1, name="bios-boot"',
        f'2: start=2048, size=99, type={ESP_TYPE}, name="e"',
    ]


def test_old_labels_are_cleared_where_the_new_partitions_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    def run(argv: list[str], **_: object) -> Result:
        done.append(" ".join(argv))
        return Result(tuple(argv), 0, str(64 * 2**20), "")

    for module in (execute, clear):
        monkeypatch.setattr(module, "run", run)
    slots = (Slot(1, 8192, 131072, "t", "data"),)
    write_table(WriteTable("/dev/sdc", slots, ("/dev/sdc9",), 512))
    zeroed = [
        tuple(int(word.partition("=")[2]) // 2**20 for word in line.split()[2:4])
        for line in done
        if line.startswith("blkdiscard")
    ]
    # Offset and length in MiB: the old partition, the disk, the new partition.
    ends = [(0, 16), (48, 16)]
    assert zeroed == [*ends, *ends, (4, 16), (52, 16)]
    assert done.index("sfdisk --quiet --wipe always --wipe-partitions always /dev/sdc") > 5


def test_the_stable_name_can_be_read(tmp_path: Path) -> None:
    device = tmp_path / "sdb3"
    device.touch()
    for name in ("wwn-0x5000-part3", "ata-MODEL_SERIAL-part3"):
        (tmp_path / name).symlink_to(device)
    assert stable_link(str(device), tmp_path) == str(tmp_path / "ata-MODEL_SERIAL-part3")
    assert stable_link("/dev/sdc3", tmp_path) == "/dev/sdc3"


def test_a_copy_of_btrfs_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(argv: list[str]) -> Result:
        raise CommandFailed(tuple(argv), 1, "target device smaller than source device")

    monkeypatch.setattr(execute, "run", run)
    monkeypatch.setattr(progress, "btrfs", lambda place: 0.0)
    with pytest.raises(CommandFailed, match="smaller than source"):
        replace_member(DiskSet("btrfs", "/", (), "raid1"), OLD, "/dev/sdc3")


GONE = Member("22", "", "", good=False)
OLD = Member("22", "/dev/sdb3", "/dev/sdb", good=True)


@pytest.mark.parametrize(
    ("group", "member", "commands"),
    [
        (
            DiskSet("zfs", "rpool", ()),
            GONE,
            ["zpool replace rpool 22 /dev/sdc3", "zpool wait -t replace rpool"],
        ),
        (
            DiskSet("md", "/dev/md127", ()),
            GONE,
            ["mdadm --manage /dev/md127 --add /dev/sdc3"],
        ),
        (
            DiskSet("md", "/dev/md127", ()),
            OLD,
            [
                "mdadm --manage /dev/md127 --add /dev/sdc3",
                "mdadm --manage /dev/md127 --replace /dev/sdb3 --with /dev/sdc3",
                "mdadm --wait /dev/md127",
                "mdadm --manage /dev/md127 --remove /dev/sdb3",
            ],
        ),
        (
            DiskSet("btrfs", "/", (), "raid1"),
            GONE,
            [
                "btrfs replace start -B -f 22 /dev/sdc3 /",
                "btrfs balance start --force -dconvert=raid1,soft -mconvert=raid1,soft "
                "-sconvert=raid1,soft /",
            ],
        ),
        (
            DiskSet("btrfs", "/", (), "single"),
            OLD,
            ["btrfs replace start -B -f /dev/sdb3 /dev/sdc3 /"],
        ),
    ],
)
def test_a_member_is_replaced(
    group: DiskSet, member: Member, commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def run(argv: list[str], **_: object) -> Result:
        done.append(" ".join(argv))
        return Result(tuple(argv), 0, "", "")

    monkeypatch.setattr(execute, "run", run)
    monkeypatch.setattr(progress, "follow", lambda percent: None)
    replace_member(group, member, "/dev/sdc3")
    assert done == commands
