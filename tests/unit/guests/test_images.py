"""The file system for disks of virtual machines: when it is made, and when nothing is touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from agent.config import Directory, LvmThin, Zfs
from agent.core import commands
from agent.core.command import Result
from agent.step import WaitForOperator
from agent.steps.storage import Storage
from agent.storages import images
from agent.storages.images import Images
from agent.systemd import Systemd

POOL = LvmThin(volume_group="slipway", thin_pool="data")


class Tools:
    """LVM and ZFS as far as they are asked: which volumes there are. ran: all other commands."""

    def __init__(self, *volumes: str) -> None:
        self.volumes = set(volumes)
        self.ran: list[str] = []

    def run(self, argv: Sequence[str], *, check: bool = True, **given: object) -> Result:
        words = tuple(argv)
        status, output = 0, ""
        if "lv_size" in words:
            output = "  12447744.00\n"
        elif words[0] == "lvs" or words[:2] == ("zfs", "list"):
            status = 0 if words[-1] in self.volumes else 5
        else:
            self.ran.append(" ".join(words))
            self.input = given["input"]
        return Result(words, status, output, "")


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Images]:
    def make(tools: Tools, storage: LvmThin | Zfs | Directory) -> Images:
        monkeypatch.setattr(images, "run", tools.run)
        monkeypatch.setattr(commands, "run", tools.run)
        return Images(tmp_path / "images", storage, units=tmp_path)

    return make


def mounted(tmp_path: Path) -> list[str]:
    unit = images.unit_of(tmp_path / "images")
    return [f"tee {tmp_path}/{unit}", f"systemctl enable --now {unit}"]


def test_a_thin_volume_as_large_as_its_pool(make: Callable[..., Images], tmp_path: Path) -> None:
    tools = Tools()
    made = make(tools, POOL)
    assert made.missing() == (f"{tmp_path}/images has no file system of its own",)
    made.make()
    assert tools.ran == [
        "lvcreate --yes --thin --virtualsize 12447744k --name images.new slipway/data",
        "mkfs.xfs -q /dev/slipway/images.new",
        "lvrename slipway/images.new slipway/images",
        *mounted(tmp_path),
    ]


def test_the_unit_that_mounts(make: Callable[..., Images], tmp_path: Path) -> None:
    write, _ = make(Tools("slipway/images"), POOL).commands()
    assert f"What=/dev/slipway/images\nWhere={tmp_path}/images\nType=xfs\n" in write.input
    assert images.unit_of(Path("/srv/a-b")) == r"srv-a\x2db.mount"


def test_an_interrupted_volume_is_made_anew(make: Callable[..., Images]) -> None:
    tools = Tools("slipway/images.new")
    make(tools, POOL).make()
    assert tools.ran[0] == "lvremove --yes slipway/images.new"


def test_a_volume_with_disks_is_only_mounted(make: Callable[..., Images], tmp_path: Path) -> None:
    tools = Tools("slipway/images")
    make(tools, POOL).make()
    assert tools.ran == mounted(tmp_path)


def test_a_dataset(make: Callable[..., Images], tmp_path: Path) -> None:
    tools = Tools()
    make(tools, Zfs(dataset="rpool/data")).make()
    properties = f"-o mountpoint={tmp_path}/images -o recordsize=64K"
    assert tools.ran == [f"zfs create {properties} rpool/data/images"]


def test_a_dataset_that_is_there_is_mounted(make: Callable[..., Images]) -> None:
    tools = Tools("rpool/data/images")
    make(tools, Zfs(dataset="rpool/data")).make()
    assert tools.ran == ["zfs mount rpool/data/images"]


def test_files_are_not_hidden(make: Callable[..., Images], tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "guest.qcow2").touch()
    tools = Tools()
    with pytest.raises(WaitForOperator, match="has files"):
        make(tools, POOL).make()
    assert tools.ran == []


def test_files_that_came_while_it_was_not_mounted(
    make: Callable[..., Images], tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "stray").touch()
    tools = Tools("slipway/images")
    make(tools, POOL).make()
    assert tools.ran == mounted(tmp_path)


@pytest.mark.parametrize("storage", [LvmThin(volume_group="slipway"), Directory(path=Path("/x"))])
def test_no_thin_pool_no_file_system(
    make: Callable[..., Images], storage: LvmThin | Directory
) -> None:
    made = make(Tools(), storage)
    assert made.missing() == ()
    made.make()
    assert not made.path.exists()


def test_libvirts_pools() -> None:
    step = Storage(POOL, {"fast": LvmThin(volume_group="fast", thin_pool="data")}, Systemd())
    assert step.pools == {
        "local": Directory(path=Path("/var/lib/libvirt/images")),
        "fast": Directory(path=Path("/var/lib/slipway/pools/fast")),
    }
    on_zfs = Storage(Zfs(dataset="rpool/data"), {"tank": Zfs(dataset="tank")}, Systemd())
    assert on_zfs.pools == {
        "local": Directory(path=Path("/var/lib/libvirt/images")),
        "local-zfs": Zfs(dataset="rpool/data"),
        "tank": Zfs(dataset="tank"),
    }
