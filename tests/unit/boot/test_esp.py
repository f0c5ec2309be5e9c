"""Bringing a folder that stands for a mounted ESP up to date, with real files."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from agent.boot.esp import (
    GRUB_MODULES,
    Esp,
    add_firmware_entry,
    apply,
    boot_sector_is_current,
    differences,
    update_esp,
)
from agent.boot.layout import GRUB, SHIM, Copy, esp_files
from agent.core.errors import CommandFailed, SlipwayError


def make_root(root: Path, kernels: list[str]) -> None:
    for path in (
        SHIM,
        GRUB,
        *(f"boot/{s}-{k}" for k in kernels for s in ("vmlinuz", "initrd.img")),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"content of {path}")


def sync(esp: Path, root: Path, kernels: list[str]) -> int:
    wanted = esp_files(kernels, ["root=x"], "1A2B-3C4D")
    actions = differences(wanted, esp, root)
    apply(actions, esp, root)
    assert differences(wanted, esp, root) == []
    return len(actions)


def test_a_blank_esp_is_filled_and_then_left_alone(tmp_path: Path) -> None:
    esp, root = tmp_path / "esp", tmp_path / "root"
    esp.mkdir()
    make_root(root, ["1"])
    assert sync(esp, root, ["1"]) == 8
    assert sync(esp, root, ["1"]) == 0
    assert (esp / "linux/1/vmlinuz").read_text() == "content of boot/vmlinuz-1"


def test_a_new_kernel_comes_and_the_old_one_goes(tmp_path: Path) -> None:
    esp, root = tmp_path / "esp", tmp_path / "root"
    esp.mkdir()
    make_root(root, ["1", "2"])
    sync(esp, root, ["1"])
    sync(esp, root, ["2"])
    assert sorted(path.name for path in (esp / "linux").iterdir()) == ["2"]
    assert "vmlinuz-2" not in (esp / "grub/grub.cfg").read_text()
    assert "/linux/2/vmlinuz" in (esp / "grub/grub.cfg").read_text()


def test_a_file_changed_by_hand_is_put_right(tmp_path: Path) -> None:
    esp, root = tmp_path / "esp", tmp_path / "root"
    esp.mkdir()
    make_root(root, ["1"])
    sync(esp, root, ["1"])
    (esp / "linux/1/initrd.img").write_text("Content of boot/initrd.img-1")
    assert sync(esp, root, ["1"]) == 1


def test_a_failed_copy_leaves_the_old_file(tmp_path: Path) -> None:
    esp, root = tmp_path / "esp", tmp_path / "root"
    esp.mkdir()
    make_root(root, ["1"])
    sync(esp, root, ["1"])
    (root / "boot/vmlinuz-1").unlink()
    kernel = next(f for f in esp_files(["1"], [], "1A2B-3C4D") if f.path == "linux/1/vmlinuz")
    with pytest.raises(SlipwayError, match="cannot be written"):
        apply([Copy(kernel)], esp, root)
    assert (esp / "linux/1/vmlinuz").read_text() == "content of boot/vmlinuz-1"
    assert not (esp / "linux/1/vmlinuz.new").exists()


def test_a_firmware_that_takes_no_entry_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(argv: list[str]) -> None:
        raise CommandFailed(tuple(argv), 2, "Could not prepare Boot variable: No space left")

    monkeypatch.setattr("agent.boot.esp.run", refuse)
    esp = Esp("1A2B-3C4D", "/dev/sda2", "/dev/sda", 2, bios=True)
    assert add_firmware_entry(esp) == (
        "the firmware took no boot entry for /dev/sda: "
        "Could not prepare Boot variable: No space left"
    )


def test_the_boot_sector_is_as_current_as_its_modules(tmp_path: Path) -> None:
    folder, root = tmp_path / "esp", tmp_path / "root"
    disk = Esp("1A2B-3C4D", "/dev/sda2", "/dev/sda", 2, bios=True)
    modules = {root / GRUB_MODULES: "new", folder / "grub/i386-pc": "old"}
    for place, text in modules.items():
        place.mkdir(parents=True)
        (place / "normal.mod").write_text(text)
    assert not boot_sector_is_current(disk, folder, root)
    assert boot_sector_is_current(replace(disk, bios=False), folder, root)
    (folder / "grub/i386-pc/normal.mod").write_text("new")
    assert boot_sector_is_current(disk, folder, root)
    (folder / "grub/i386-pc/normal.mod").unlink()
    assert not boot_sector_is_current(disk, folder, root)


@pytest.mark.parametrize("boot_sector", [False, True])
def test_a_boot_sector_is_written_anew_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boot_sector: bool
) -> None:
    folder, root, written = tmp_path / "esp", tmp_path / "root", []
    for place in (root / GRUB_MODULES, folder / "grub/i386-pc"):
        place.mkdir(parents=True)
        (place / "normal.mod").write_text("the same")
    make_root(root, ["1"])
    monkeypatch.setattr("agent.boot.esp.mounted", lambda _esp: nullcontext(folder))
    monkeypatch.setattr(
        "agent.boot.esp.install_boot_sector", lambda esp, *_where: written.append(esp.disk)
    )
    esp = Esp("1A2B-3C4D", "/dev/sda2", "/dev/sda", 2, bios=True)
    update_esp(esp, ["1"], [], root, boot_sector=boot_sector)
    assert written == ["/dev/sda"] * boot_sector


def test_a_file_that_is_no_text_any_more_is_put_right(tmp_path: Path) -> None:
    esp, root = tmp_path / "esp", tmp_path / "root"
    esp.mkdir()
    make_root(root, ["1"])
    sync(esp, root, ["1"])
    (esp / "grub/grub.cfg").write_bytes(b"\xff\x00\xfe")
    assert sync(esp, root, ["1"]) == 1
