"""The kernels that the boot menu offers."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.boot import kernels
from agent.boot.kernels import installed_kernels, startable_kernels
from agent.core.command import Result
from agent.core.errors import SlipwayError

ZFS_ROOT = ["root=ZFS=rpool/ROOT/slipway", "ro"]


def make_boot(root: Path, *names: str) -> None:
    (root / "boot").mkdir()
    for name in names:
        (root / "boot" / name).touch()


def list_initrds(monkeypatch: pytest.MonkeyPatch, with_zfs: set[str]) -> None:
    """Stands in for lsinitramfs."""

    def run(argv: list[str | Path]) -> Result:
        version = Path(argv[1]).name.removeprefix("initrd.img-")
        module = "zfs.ko.xz" if version in with_zfs else "zlua.ko"
        listing = f"usr\nusr/lib/modules/{version}/updates/dkms/{module}\nusr/sbin\n"
        return Result(("lsinitramfs",), 0, listing, "")

    monkeypatch.setattr(kernels, "run", run)


def test_a_kernel_without_its_initrd_is_not_offered(tmp_path: Path) -> None:
    make_boot(tmp_path, "vmlinuz-1", "vmlinuz-2", "initrd.img-2")
    assert installed_kernels(tmp_path) == ["2"]


def test_a_kernel_that_cannot_mount_the_root_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_boot(tmp_path, "vmlinuz-1", "initrd.img-1", "vmlinuz-2", "initrd.img-2")
    list_initrds(monkeypatch, {"1"})
    assert startable_kernels(tmp_path, ZFS_ROOT) == ["1"]
    assert sorted(startable_kernels(tmp_path, ["root=UUID=x"])) == ["1", "2"]
    list_initrds(monkeypatch, set())
    with pytest.raises(SlipwayError, match="no kernel has an initrd with ZFS"):
        startable_kernels(tmp_path, ZFS_ROOT)
