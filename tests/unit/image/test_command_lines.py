"""The command lines of the builder's tools, as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import stack
from agent.core.errors import SlipwayError
from image.build import release_epoch
from image.iso import Contents, esp_size_kib, xorriso_arguments
from image.packages import mmdebstrap_arguments, package_names
from image.tree import squashfs_arguments

TOP = Path(__file__).resolve().parents[3]


def kvm_ha() -> stack.Stack:
    return stack.load(TOP / "image/stacks/kvm-ha.toml")


def test_the_stack_has_what_the_node_needs() -> None:
    names = package_names(kvm_ha())
    assert {"linux-image-amd64", "lvm2", "libvirt-daemon-system", "pacemaker", "cockpit-ws"} <= set(
        names
    )
    assert names == sorted(set(names))


def test_mmdebstrap_makes_no_initramfs_and_starts_nothing() -> None:
    arguments = mmdebstrap_arguments(kvm_ha(), Path("/apt"), Path("/root-tree"))
    assert arguments[-3:] == ["trixie", "/root-tree", "/apt/sources.list"]
    assert "--aptopt=/apt/apt.conf" in arguments
    assert any("policy-rc.d" in argument for argument in arguments)


def test_squashfs_exclusions_come_last() -> None:
    arguments = squashfs_arguments(Path("/tree"), Path("/out"), ("boot/*", "proc/*"))
    assert arguments[:3] == ["mksquashfs", "/tree", "/out"]
    assert arguments[-3:] == ["-e", "boot/*", "proc/*"]
    assert "-e" not in squashfs_arguments(Path("/tree"), Path("/out"))


def test_xorriso_appends_the_esp_and_grafts_big_files_in() -> None:
    contents = Contents({"live/vmlinuz": Path("/k"), "live/initrd.img": Path("/i")}, 1)
    arguments = xorriso_arguments(contents, Path("/tree"), Path("/esp"), Path("/out.iso"))
    at = arguments.index("-append_partition")
    assert arguments[at : at + 4] == ["-append_partition", "2", "0xef", "/esp"]
    assert "--interval:appended_partition_2:all::" in arguments
    assert arguments[-3:] == ["/tree", "live/initrd.img=/i", "live/vmlinuz=/k"]


def test_the_marker_differs_between_releases() -> None:
    assert Contents({}, 1).marker != Contents({}, 2).marker
    assert Contents({}, 1).marker == Contents({}, 1).marker


def test_the_esp_has_room_in_whole_64_kib(tmp_path: Path) -> None:
    file = tmp_path / "grub"
    file.write_bytes(b"x" * 1_000_000)
    size = esp_size_kib([file, file])
    assert size % 64 == 0
    assert size * 1024 > 2_000_000


def test_the_epoch_is_the_newest_release(tmp_path: Path) -> None:
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text("# Changes\n\n## 0.2.0 (1970-01-02)\n\n## 0.1.0 (1970-01-01)\n")
    assert release_epoch(changelog) == 86400
    changelog.write_text("# Changes\n")
    with pytest.raises(SlipwayError, match="no release"):
        release_epoch(changelog)
