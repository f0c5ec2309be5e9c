"""The netboot tree: the medium's own files under their own names, and digests of all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.command import run
from image import netboot
from image.netboot import LIVE_IMAGES, make_netboot, place_tree
from image.netboot_scripts import LIVE_SUMS, tree_of
from installer.medium import FILE_NAMES


@pytest.fixture
def medium(tmp_path: Path) -> dict[str, Path]:
    """Files of a medium: path on it, made where."""
    files = {}
    for path in {*FILE_NAMES.values(), *LIVE_IMAGES}:
        files[path] = tmp_path / "made" / Path(path).name
        files[path].parent.mkdir(exist_ok=True)
        files[path].write_text(path)
    return files


@pytest.fixture
def tree(medium: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    firmware = {}
    for name in netboot.FIRMWARE_FILES:
        firmware[name] = tmp_path / name
        firmware[name].write_text(name)
    monkeypatch.setattr(netboot, "FIRMWARE_FILES", firmware)
    make_netboot(medium, tmp_path / "step")
    return tmp_path / "step" / netboot.TREE


def test_everything_has_a_digest(tree: Path) -> None:
    checked = run(["sha256sum", "--check", "--strict", netboot.SUMS], cwd=tree).stdout.splitlines()
    paths = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}
    assert {line.removesuffix(": OK") for line in checked} == paths - {netboot.SUMS}
    assert {"shimx64.efi", "grubx64.efi", "undionly.kpxe", "boot.ipxe"} < paths
    assert set(FILE_NAMES.values()) < paths


def test_the_initrd_fetches_what_live_boot_stacks(tree: Path) -> None:
    lines = (tree / LIVE_SUMS).read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["10-node.squashfs", "20-installer.squashfs"]
    run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tree / "live")


def test_nothing_is_copied(tree: Path, medium: dict[str, Path], tmp_path: Path) -> None:
    place_tree(tree, tmp_path / "out")
    for path, made in medium.items():
        assert (tmp_path / "out" / path).samefile(made)
        assert not (tmp_path / "out" / path).is_symlink()


def test_an_older_tree_is_replaced(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    place_tree(tree, tmp_path / "out")
    assert not (tmp_path / "out" / "old").exists()


def test_its_own_scripts_name_no_server(tree: Path) -> None:
    digest = tree_of(tree, "http://192.0.2.1").sums_sha256
    for script in ("boot.ipxe", "grub/grub.cfg"):
        text = (tree / script).read_text()
        assert f"slipway.medium-sha256={digest}" in text
        assert "boot=live" in text
        assert "://" not in text.replace("http://$server", "")
