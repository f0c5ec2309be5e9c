"""Executors that fill the mounted target: image, boot loader, commands, the installer's log."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.boot.esp import Esp, add_firmware_entry, update_esp
from agent.core.command import Argument, run
from agent.core.errors import SlipwayError
from installer.medium import INITRD, KERNEL, Medium
from installer.plan.model import InstallBootLoader

Progress = Callable[[int, int], None]
# What commands in the target expect to find; the last one has the name servers.
SYSTEM_FOLDERS = ("dev", "proc", "sys", "run/NetworkManager")
# unsquashfs buffers, in MiB: its defaults of 256 each are a quarter of a small machine's memory.
BUFFER_MIB = "64"

log = logging.getLogger("installer")


def unpack_image(medium: Medium, image: str, target: Path, progress: Progress) -> None:
    """Unpack one of the medium's images over the target."""
    if not target.is_mount():
        raise SlipwayError("nothing is mounted for the node", where=str(target))
    size = medium.files[image].unpacked_bytes

    def hear(line: str) -> None:
        if line.strip().isdigit():
            progress(int(line) * size // 100, size)

    buffers = ["-da", BUFFER_MIB, "-fr", BUFFER_MIB]
    where = ["-force", "-dest", str(target), str(medium.path(image))]
    run(["unsquashfs", "-percentage", *buffers, *where], on_line=hear)


def copy_kernel(medium: Medium, target: Path) -> None:
    """Put the medium's kernel and initrd into the target's /boot."""
    for name, stem in ((KERNEL, "vmlinuz"), (INITRD, "initrd.img")):
        shutil.copyfile(medium.path(name), target / "boot" / f"{stem}-{medium.kernel_version}")


def install_boot_loader(action: InstallBootLoader, medium: Medium, target: Path) -> str:
    """Fill the disk's ESP and make it start the node. Gives a warning, or nothing."""
    esp = Esp(action.esp_uuid, action.esp, action.disk, action.esp_number, action.bios)
    update_esp(esp, [medium.kernel_version], action.kernel_parameters, target)
    return add_firmware_entry(esp) if action.firmware_entry else ""


def run_in_target(argv: tuple[Argument, ...], target: Path) -> None:
    """Run a command in the target, with the kernel's file systems in place.

    What it says goes to the log. Raises CommandFailed with the end of it.
    """
    with _system_folders(target):
        run(["chroot", target, *argv], on_line=lambda line: log.info("%s: %s", argv[0], line))


@contextmanager
def _system_folders(target: Path) -> Iterator[None]:
    with ExitStack() as stack:
        for folder in SYSTEM_FOLDERS:
            if not Path("/", folder).is_dir():
                continue
            (target / folder).mkdir(parents=True, exist_ok=True)
            run(["mount", "--rbind", "--make-rslave", f"/{folder}", target / folder])
            stack.callback(run, ["umount", "--recursive", target / folder])
        yield


def keep_log(log: Path, path: str, target: Path) -> None:
    """Copy the installer's log as it is now to the node."""
    kept = target / path.lstrip("/")
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(log, kept)
    kept.chmod(0o640)


def unmount(target: Path) -> None:
    """Write everything out and unmount what is mounted on the target; nothing mounted is fine."""
    if target.is_mount():
        run(["umount", "--recursive", target])
