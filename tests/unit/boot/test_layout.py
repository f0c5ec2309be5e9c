"""What an ESP holds, and the changes that lead there."""

from __future__ import annotations

from agent.boot.layout import (
    Copy,
    EspFile,
    Remove,
    esp_files,
    newest_first,
    sync_actions,
)

PARAMETERS = ["root=/dev/mapper/slipway-root", "ro", "console=tty0", "console=ttyS0,115200"]


def by_path(files: list[EspFile]) -> dict[str, EspFile]:
    return {file.path: file for file in files}


def test_kernel_versions_compare_as_numbers() -> None:
    versions = ["6.12.9+deb13-amd64", "6.12.117+deb13-amd64", "6.2.0-amd64"]
    assert newest_first(versions) == [versions[1], versions[0], versions[2]]


def test_an_esp_is_complete() -> None:
    files = by_path(esp_files(["6.1", "6.2"], PARAMETERS, "1A2B-3C4D"))
    assert files["EFI/BOOT/BOOTX64.EFI"].source == files["EFI/slipway/shimx64.efi"].source
    assert files["linux/6.1/initrd.img"].source == "boot/initrd.img-6.1"
    assert "1A2B-3C4D" in files["EFI/debian/grub.cfg"].text
    menu = files["grub/grub.cfg"].text
    assert menu.index("Linux 6.2") < menu.index("Linux 6.1")
    assert f"linux /linux/6.2/vmlinuz {' '.join(PARAMETERS)}\n" in menu
    assert "terminal_output console serial" in menu


def test_no_serial_terminal_without_a_serial_console() -> None:
    menu = by_path(esp_files(["6.1"], ["root=x"], "1A2B-3C4D"))["grub/grub.cfg"].text
    assert "serial" not in menu


def test_sync_copies_first_and_removes_last_and_only_what_is_ours() -> None:
    wanted = [EspFile("linux/2/vmlinuz", source="boot/vmlinuz-2"), EspFile("grub/grub.cfg")]
    same = {
        "linux/1/vmlinuz": False,
        "grub/grub.cfg": False,
        "EFI/BOOT/other.efi": False,
        "grub/i386-pc/normal.mod": False,
    }
    assert sync_actions(wanted, same) == [
        Copy(wanted[0]),
        Copy(wanted[1]),
        Remove("linux/1/vmlinuz"),
    ]


def test_sync_of_an_esp_that_is_current_does_nothing() -> None:
    wanted = esp_files(["6.1"], PARAMETERS, "1A2B-3C4D")
    assert sync_actions(wanted, {file.path: True for file in wanted}) == []
