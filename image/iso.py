"""The ISO: one file that starts from CD and from a USB stick, in BIOS and in UEFI.

An appended GPT ESP holds Debian's signed shim and GRUB (Secure Boot works without keys of our
own); El Torito points at the same ESP for CDs; GRUB's boot_hybrid.img starts sticks in BIOS.
"""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from agent import __version__
from agent.core.command import run
from agent.core.template import render_tree
from image.progress import Listener

GRUB = Path("/usr/lib/grub/i386-pc")
SIGNED = Path("/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed")
SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
# All that grub.cfg uses before the medium's own module folder can be read.
BIOS_MODULES = (
    *("biosdisk", "iso9660", "part_gpt", "part_msdos", "search", "search_fs_file"),
    *("normal", "configfile", "linux", "echo", "test", "serial", "terminal"),
)


@dataclass(frozen=True)
class Contents:
    """The files of the ISO: path on it, where its content comes from."""

    files: dict[str, Path]
    epoch: int

    @property
    def marker(self) -> str:
        """A file name that only this ISO has: GRUB finds its medium by it."""
        return f"slipway-{uuid.uuid5(uuid.NAMESPACE_URL, f'slipway/{__version__}/{self.epoch}')}"


def esp_size_kib(files: list[Path]) -> int:
    """Room for the files and FAT's own needs, in multiples of 64 KiB."""
    needed = sum(file.stat().st_size for file in files) // 1024 + 400
    return (needed + 63) // 64 * 64


def make_esp(esp: Path, shim: Path, grub: Path, stub: Path) -> None:
    """A FAT image with the signed chain; same input, same bytes."""
    size = esp_size_kib([shim, grub, stub])
    label = ["--invariant", "-i", "51192A70", "-n", "SLIPWAY-EFI"]
    run(["mkfs.vfat", *label, "-C", esp, str(size)])
    run(["mmd", "-i", esp, "::EFI", "::EFI/boot", "::boot", "::boot/grub"])
    for source, target in (
        (shim, "::EFI/boot/bootx64.efi"),
        (grub, "::EFI/boot/grubx64.efi"),
        (stub, "::boot/grub/grub.cfg"),
    ):
        run(["mcopy", "-m", "-i", esp, source, target])


def make_bios_image(output: Path) -> None:
    """GRUB for El Torito in BIOS: cdboot.img followed by a core image."""
    core = output.with_suffix(".core")
    target = ["-O", "i386-pc", "-d", str(GRUB), "-p", "/boot/grub", "-o", str(core)]
    run(["grub-mkimage", *target, *BIOS_MODULES])
    output.write_bytes((GRUB / "cdboot.img").read_bytes() + core.read_bytes())
    core.unlink()


def xorriso_arguments(contents: Contents, tree: Path, esp: Path, output: Path) -> list[str]:
    """xorriso's command line; big files are grafted in from where they lie."""
    grafts = [f"{path}={source}" for path, source in sorted(contents.files.items())]
    return [
        *("xorriso", "-no_rc", "-as", "mkisofs", "-iso-level", "3"),
        *("-full-iso9660-filenames", "-joliet", "-joliet-long", "-rational-rock"),
        *("-volid", f"SLIPWAY_{__version__}".replace(".", "_").upper(), "-o", str(output)),
        *("-b", "boot/grub/i386-pc/eltorito.img", "-no-emul-boot", "-boot-load-size", "4"),
        *("-boot-info-table", "--grub2-boot-info"),
        *("--grub2-mbr", str(GRUB / "boot_hybrid.img"), "--mbr-force-bootable"),
        *("-partition_offset", "16", "-append_partition", "2", "0xef", str(esp)),
        *("-appended_part_as_gpt", "-eltorito-alt-boot"),
        *("-e", "--interval:appended_partition_2:all::", "-no-emul-boot"),
        *("-graft-points", str(tree), *grafts),
    ]


def make_iso(contents: Contents, output: Path, hear: Listener) -> None:
    """Write the ISO; what it is put together from lies beside it meanwhile."""
    tree, esp = output.with_name("tree"), output.with_name("esp.img")
    render_tree("iso", tree, version=__version__, marker=contents.marker)
    bios = tree / "boot/grub/i386-pc"
    bios.mkdir(parents=True)
    for module in (*GRUB.glob("*.mod"), *GRUB.glob("*.lst")):
        shutil.copy(module, bios)
    make_bios_image(bios / "eltorito.img")
    (tree / ".disk").mkdir()
    (tree / ".disk" / contents.marker).touch()
    touch = ["touch", "--no-dereference", f"--date=@{contents.epoch}", "{}", "+"]
    run(["find", tree, "-exec", *touch])
    make_esp(esp, SHIM, SIGNED, tree / "boot/grub/stub.cfg")
    epoch = {"SOURCE_DATE_EPOCH": str(contents.epoch)}
    run(xorriso_arguments(contents, tree, esp, output), env=epoch, on_line=hear)
    shutil.rmtree(tree)
    esp.unlink()
