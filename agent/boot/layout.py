"""What belongs on an ESP, and what must be done to bring one into that state: pure functions.

Every ESP is complete: signed shim and GRUB at the removable-media path and under a name for the
firmware's boot entry, one grub.cfg for UEFI and BIOS, every installed kernel with its initrd.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from agent.core.template import render

SHIM = "usr/lib/shim/shimx64.efi.signed"
GRUB = "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
# Folders that are ours alone: what is in them and not wanted is removed.
OWNED = ("linux", "EFI/slipway")
FIRMWARE_LOADER = r"\EFI\slipway\shimx64.efi"


@dataclass(frozen=True)
class EspFile:
    """A file of the ESP: a copy of `source` (a path below the node's root) or `text`."""

    path: str
    source: str = ""
    text: str = ""


@dataclass(frozen=True)
class Copy:
    """Write this file, over an old one if there is one."""

    file: EspFile


@dataclass(frozen=True)
class Remove:
    """Remove a file that is not wanted any more."""

    path: str


def newest_first(versions: Sequence[str]) -> list[str]:
    """Kernel versions in the order of the boot menu: numbers compare as numbers."""

    def key(version: str) -> list[tuple[int, str]]:
        parts = version.replace("-", ".").replace("+", ".").split(".")
        return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]

    return sorted(versions, key=key, reverse=True)


def esp_files(kernels: Sequence[str], parameters: Sequence[str], uuid: str) -> list[EspFile]:
    """Everything that the ESP with this file system UUID must hold, grub.cfg after the kernels."""
    menu = render(
        "boot/grub.cfg",
        kernels=newest_first(kernels),
        parameters=" ".join(parameters),
        serial=any(parameter.startswith("console=ttyS") for parameter in parameters),
        esp_uuid=uuid,
    )
    images = [
        EspFile(f"linux/{kernel}/{name}", source=f"boot/{stem}-{kernel}")
        for kernel in newest_first(kernels)
        for name, stem in (("vmlinuz", "vmlinuz"), ("initrd.img", "initrd.img"))
    ]
    return [
        EspFile("EFI/BOOT/BOOTX64.EFI", source=SHIM),
        EspFile("EFI/BOOT/grubx64.efi", source=GRUB),
        EspFile("EFI/slipway/shimx64.efi", source=SHIM),
        EspFile("EFI/slipway/grubx64.efi", source=GRUB),
        EspFile("EFI/debian/grub.cfg", text=render("boot/stub.cfg", esp_uuid=uuid)),
        *images,
        EspFile("grub/grub.cfg", text=menu),
    ]


def sync_actions(wanted: Sequence[EspFile], same: Mapping[str, bool]) -> list[Copy | Remove]:
    """The actions that make an ESP hold what is wanted.

    same: every file on the ESP by its path, and whether its content is the wanted one. New files
    come first and removals last, so that the ESP starts the node at every moment in between.
    """
    copies: list[Copy | Remove] = [Copy(file) for file in wanted if not same.get(file.path, False)]
    names = {file.path for file in wanted}
    return copies + [Remove(path) for path in sorted(same) if path not in names and _owned(path)]


def _owned(path: str) -> bool:
    return any(PurePosixPath(path).is_relative_to(folder) for folder in OWNED)
