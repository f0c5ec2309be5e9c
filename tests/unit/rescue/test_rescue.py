"""The rescue: what is planned from what was found, and what is read off an installed system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.core.errors import SlipwayError
from installer.inventory.model import Inventory
from installer.rescue import execute
from installer.rescue.plan import (
    ActivateVolumes,
    AssembleArrays,
    BindFolder,
    Candidate,
    ImportPool,
    MountRest,
    MountRoot,
    candidates,
    plan_look,
    plan_mount,
    plan_search,
)
from installer.session.protocol import FoundSystem, Leave, Rescue
from tests.unit.storage.machines import content, disk, machine
from tests.unit.ui.conftest import Hall

ROWS: list[dict[str, Any]] = [
    {"path": "/dev/sda", "type": "disk", "fstype": None, "mountpoints": [None]},
    {"path": "/dev/sda2", "type": "part", "fstype": "vfat", "mountpoints": [None]},
    {"path": "/dev/mapper/slipway-root", "type": "lvm", "fstype": "ext4", "mountpoints": [None]},
    # lsblk shows what lies on two disks twice.
    {"path": "/dev/mapper/slipway-root", "type": "lvm", "fstype": "ext4", "mountpoints": [None]},
    {"path": "/dev/sdb3", "type": "part", "fstype": "btrfs", "mountpoints": [None]},
    {"path": "/dev/sr0", "type": "rom", "fstype": "iso9660", "mountpoints": ["/run/live/medium"]},
    {"path": "/dev/sdc1", "type": "part", "fstype": "ext4", "mountpoints": ["/mnt"]},
]
DATASETS = [("rpool", "/rescue/rpool"), ("rpool/ROOT", "none"), ("rpool/ROOT/node", "/rescue")]


def found(*kinds: tuple[str, str]) -> Inventory:
    return machine(disk("sda", contents=[content("/dev/sda3", k, label=name) for k, name in kinds]))


@pytest.mark.parametrize(
    ("inventory", "planned"),
    [
        (found(), []),
        (found(("LVM2_member", "")), [ActivateVolumes()]),
        (found(("linux_raid_member", "")), [AssembleArrays(), ActivateVolumes()]),
        (
            found(("zfs_member", "rpool"), ("zfs_member", "rpool"), ("zfs_member", "tank")),
            [
                ImportPool(name="rpool", device="/dev/sda3"),
                ImportPool(name="tank", device="/dev/sda3"),
            ],
        ),
        (found(("ext4", "root")), []),
    ],
)
def test_only_what_is_there_is_started(inventory: Inventory, planned: list[object]) -> None:
    assert list(plan_search(inventory)) == planned


def test_what_may_be_a_root() -> None:
    made = list(candidates(ROWS, DATASETS, "/rescue"))
    assert made[0] == Candidate("/dev/mapper/slipway-root", "ext4", "ext4, lvm")
    assert made[-1] == Candidate("rpool/ROOT/node", "zfs", "zfs")
    btrfs = [x.options for x in made if x.device == "/dev/sdb3"]
    assert ("subvol=@",) in btrfs and () in btrfs
    assert {x.device for x in made} == {"/dev/mapper/slipway-root", "/dev/sdb3", "rpool/ROOT/node"}


def test_looking_is_read_only_and_mounting_is_not() -> None:
    root = Candidate("/dev/sdb3", "btrfs", "btrfs, part", ("subvol=@",))
    assert plan_look(root).options == ("subvol=@", "ro")
    mount, rest, *folders = plan_mount(root)
    assert mount == MountRoot(device="/dev/sdb3", filesystem="btrfs", options=("subvol=@",))
    assert rest == MountRest(pool="")
    assert folders == [BindFolder(folder=name) for name in ("dev", "proc", "sys", "run")]
    zfs = list(plan_mount(Candidate("rpool/ROOT/node", "zfs", "zfs")))
    assert MountRest(pool="rpool") in zfs


def test_an_installed_system_is_described(tmp_path: Path) -> None:
    root = Candidate("/dev/sda3", "ext4", "ext4, part")
    assert execute.describe(root, tmp_path) is None
    for folder in ("etc/slipway", "usr/lib"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text('NAME=Debian\nPRETTY_NAME="Debian 13"\n')
    (tmp_path / "etc/hostname").write_text("node1\n")
    system = execute.describe(root, tmp_path)
    assert system == FoundSystem(
        name="node1, Debian 13", device="/dev/sda3", storage="ext4, part", slipway=False
    )
    (tmp_path / "etc/slipway/node.toml").touch()
    again = execute.describe(root, tmp_path)
    assert again and again.slipway


@pytest.fixture
def hall(monkeypatch: pytest.MonkeyPatch) -> Hall:
    done: list[object] = []
    system = FoundSystem(name="node1", device="/dev/sda3", storage="ext4, part", slipway=True)
    candidate = Candidate("/dev/sda3", "ext4", "ext4, part")
    rows = [{"path": "/dev/sda3", "type": "part", "fstype": "ext4", "mountpoints": [None]}]
    for name, replacement in {
        "execute": done.append,
        "release": lambda: None,
        "end": lambda: done.append("end"),
        "rows": lambda: rows,
        "datasets": lambda: [],
        "look": lambda found: [(candidate, system)] if list(found) else [],
        "make_boot_loader": lambda: ["/dev/sda: 3 changes"],
        "set_root_password": lambda _password: done.append("password"),
    }.items():
        monkeypatch.setattr(execute, name, replacement)
    hall = Hall()
    hall.machine.done = done  # type: ignore[assignment]
    hall.begin()
    return hall


def ask(hall: Hall, action: str, **fields: object) -> str:
    reply = hall.ask(Rescue.model_validate({"action": action, **fields}))
    return reply.error or str(reply.result.get("said", ""))


def test_find_mount_repair_and_leave(hall: Hall) -> None:
    assert "mount a system first" in ask(hall, "boot-loader")
    assert not ask(hall, "find")
    assert hall.session.state.stage == "rescue" and len(hall.session.state.systems) == 1
    assert "no such system" in ask(hall, "mount", system=4)
    assert not ask(hall, "mount", system=0)
    assert hall.session.state.systems[0].place == "/rescue"
    assert "unmount it first" in ask(hall, "mount", system=0)
    assert "3 changes" in ask(hall, "boot-loader")
    assert "8 or more" in ask(hall, "password", password="short")
    assert "is set" in ask(hall, "password", password="correct horse")
    assert not ask(hall, "release")
    assert hall.state()["systems"] == []
    assert hall.machine.done[-1] == "end"


def test_a_search_that_fails_is_over(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[object]:
        raise SlipwayError("lsblk ended with status 1")

    monkeypatch.setattr(execute, "rows", broken)
    assert "lsblk" in ask(hall, "find")
    assert not hall.session.state.busy


@pytest.mark.parametrize("busy", [False, True])
def test_a_restart_lets_go_first(hall: Hall, monkeypatch: pytest.MonkeyPatch, busy: bool) -> None:
    def end() -> None:
        hall.machine.done.append("end")
        if busy:
            raise SlipwayError("zpool ended with status 1")

    monkeypatch.setattr(execute, "end", end)
    ask(hall, "find")
    assert not hall.ask(Leave(mode="reboot")).error
    assert hall.machine.done[-1] == "end"
    assert hall.session.orders.get_nowait() == Leave(mode="reboot")


def test_the_id_of_the_host_that_a_pool_belongs_to() -> None:
    label = "    version: 5000\n    name: 'rpool'\n    hostid: 1619310989\n    hostname: 'node1'\n"
    assert execute.host_id(label) == 1619310989
    assert execute.host_id("failed to unpack label 0\n") == 0
