"""Executors: look at an ESP, bring it up to date, make its disk start in BIOS and in UEFI."""

from __future__ import annotations

import filecmp
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.boot.layout import FIRMWARE_LOADER, Copy, EspFile, Remove, esp_files, sync_actions
from agent.core.command import run
from agent.core.errors import CommandFailed, SlipwayError

log = logging.getLogger(__name__)

BIOS_BOOT_TYPE = "21686148-6449-6e6f-744e-656564454649"
GRUB_MODULES = Path("usr/lib/grub/i386-pc")
ENTRY_LABEL = "Slipway"


@dataclass(frozen=True)
class Esp:
    """One ESP. partition: its device; disk: the whole disk; number: of the partition;
    bios: the disk has a BIOS boot partition.
    """

    uuid: str
    partition: str
    disk: str
    number: int
    bios: bool


def find_esp(uuid: str) -> Esp | None:
    """The ESP with this file system UUID, or None when its disk is not there."""
    link = Path("/dev/disk/by-uuid") / uuid
    if not link.exists():
        return None
    partition = str(link.resolve())
    disk = f"/dev/{_lsblk(partition, 'PKNAME')[0]['pkname']}"
    rows = _lsblk(disk, "PATH,PARTN,PARTTYPE")
    number = next(int(row["partn"]) for row in rows if row["path"] == partition)
    return Esp(uuid, partition, disk, number, any(r["parttype"] == BIOS_BOOT_TYPE for r in rows))


def _lsblk(device: str, columns: str) -> list[dict[str, str]]:
    argv = ["lsblk", "--json", "--list", "--output", columns, device]
    rows: list[dict[str, str]] = json.loads(run(argv).stdout)["blockdevices"]
    return rows


@contextmanager
def mounted(esp: Esp) -> Iterator[Path]:
    """The ESP's folder while the context lasts; no other program needs it mounted."""
    with tempfile.TemporaryDirectory(prefix="slipway-esp-", dir="/run") as folder:
        run(["mount", "-t", "vfat", "-o", "umask=0077", esp.partition, folder])
        try:
            yield Path(folder)
        finally:
            run(["umount", folder])


def differences(wanted: Sequence[EspFile], folder: Path, root: Path) -> list[Copy | Remove]:
    """What has to be done on the mounted ESP."""
    by_path = {file.path: file for file in wanted}
    same = {}
    for path in folder.rglob("*"):
        if path.is_file():
            name = str(path.relative_to(folder))
            same[name] = name in by_path and _is_same(by_path[name], path, root)
    return sync_actions(wanted, same)


def _is_same(file: EspFile, path: Path, root: Path) -> bool:
    if file.source:
        return filecmp.cmp(root / file.source, path, shallow=False)
    return path.read_bytes() == file.text.encode()


def apply(actions: Sequence[Copy | Remove], folder: Path, root: Path) -> None:
    """Do the actions; each file appears whole or not at all."""
    for action in actions:
        match action:
            case Copy(file):
                _write(file, folder / file.path, root)
            case Remove(path):
                (folder / path).unlink()
                _remove_empty(folder / path, folder)


def _write(file: EspFile, path: Path, root: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    try:
        if file.source:
            shutil.copyfile(root / file.source, new)
        else:
            new.write_text(file.text)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise SlipwayError(
            f"the file cannot be written on the EFI system partition: {error.strerror}",
            where=file.path,
            hint="remove kernels that are not needed any more, then run: slipway boot sync",
        ) from error
    with new.open("rb") as written:
        os.fsync(written.fileno())
    new.rename(path)


def _remove_empty(path: Path, folder: Path) -> None:
    for parent in path.parents:
        if parent == folder or any(parent.iterdir()):
            return
        parent.rmdir()


def update_esp(
    esp: Esp,
    kernels: Sequence[str],
    parameters: Sequence[str],
    root: Path,
    *,
    boot_sector: bool = False,
) -> int:
    """Bring one ESP and its disk's boot sector up to date; gives the number of changes made.

    boot_sector: write it also when GRUB's modules on the ESP are those of the node: somebody else
    may have overwritten it.
    """
    with mounted(esp) as folder:
        actions = differences(esp_files(kernels, parameters, esp.uuid), folder, root)
        apply(actions, folder, root)
        changes = len(actions)
        if (boot_sector and esp.bios) or not boot_sector_is_current(esp, folder, root):
            install_boot_sector(esp, folder, root)
            changes += 1
    return changes


def boot_sector_is_current(esp: Esp, folder: Path, root: Path) -> bool:
    """Whether the disk of the mounted ESP starts in BIOS with the node's GRUB, or never does."""
    if not esp.bios:
        return True
    installed = folder / "grub/i386-pc/normal.mod"
    shipped = root / GRUB_MODULES / "normal.mod"
    return installed.exists() and filecmp.cmp(shipped, installed, shallow=False)


def install_boot_sector(esp: Esp, folder: Path, root: Path) -> None:
    """GRUB for BIOS: its core in the BIOS boot partition, its modules on the ESP."""
    where = [f"--directory={root / GRUB_MODULES}", f"--boot-directory={folder}"]
    run(["grub-install", "--target=i386-pc", "--no-floppy", *where, esp.disk])


def add_firmware_entry(esp: Esp) -> str:
    """Tell UEFI about this ESP. Gives a warning when the firmware refuses, else nothing.

    The removable-media path starts the node without any entry.
    """
    where = ["--disk", esp.disk, "--part", str(esp.number)]
    entry = ["--label", ENTRY_LABEL, "--loader", FIRMWARE_LOADER]
    try:
        run(["efibootmgr", "--quiet", "--create", *where, *entry])
    except CommandFailed as error:
        return f"the firmware took no boot entry for {esp.disk}: {error.output}"
    return ""
