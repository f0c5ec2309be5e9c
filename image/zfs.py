"""OpenZFS for the node: compiled once per kernel, and laid on nodes that have a ZFS pool.

The layer has what a node needs to compile the module again when its kernel is updated (DKMS, a
compiler, headers: half as large as the node itself), so nodes without ZFS stay without it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from agent.core.command import run
from image.node import PACKAGING, remove
from image.progress import Listener
from image.tree import (
    apt_install,
    kernel_version,
    overlay,
    run_inside,
    squashfs_arguments,
    system_mounts,
)

TOOLS = (
    "zfsutils-linux",
    "zfs-zed",
    "zfs-initramfs",
    "libvirt-daemon-driver-storage-zfs",
    "sanoid",
)
SOURCE = "zfs-dkms"
HEADERS = "linux-headers-amd64"
DKMS = "var/lib/dkms"
LAYER_IMAGE = "zfs.squashfs"
# The key that signed the modules would be the same on every node; DKMS makes a new one.
REMOVED = (*PACKAGING, "var/lib/dkms/mok.*", "etc/hostid")


def make_zfs_modules(packages: Path, apt: Path, folder: Path, hear: Listener) -> None:
    """Compile the module in a throwaway tree; folder gets DKMS's state and the modules."""
    with overlay([packages], folder / "overlay") as (root, _):
        kernel = kernel_version(root)
        with system_mounts(root):
            apt_install(root, apt, [f"linux-headers-{kernel}", SOURCE], hear)
        shutil.copytree(root / DKMS / "zfs", folder / "dkms", symlinks=True)
        shutil.copytree(root / modules_folder(kernel), folder / "modules")
    shutil.rmtree(folder / "overlay")


def modules_folder(kernel: str) -> str:
    """Where DKMS puts its modules, below a root."""
    return f"usr/lib/modules/{kernel}/updates/dkms"


def place_modules(modules: Path, root: Path, kernel: str) -> None:
    """Put compiled modules into a tree."""
    shutil.copytree(modules / "modules", root / modules_folder(kernel), dirs_exist_ok=True)
    run_inside(root, ["depmod", kernel])


def make_zfs_layer(
    lower: list[Path], modules: Path, apt: Path, folder: Path, hear: Listener
) -> None:
    """Write folder/zfs.squashfs: what a node with ZFS has beyond the node in `lower`.

    Headers come last: DKMS compiles when it finds headers, and finds its result there already.
    """
    with overlay(lower, folder / "overlay") as (root, upper):
        kernel = kernel_version(root)
        with system_mounts(root):
            apt_install(root, apt, [*TOOLS, SOURCE], hear)
            shutil.rmtree(root / DKMS / "zfs", ignore_errors=True)
            shutil.copytree(modules / "dkms", root / DKMS / "zfs", symlinks=True)
            place_modules(modules, root, kernel)
            apt_install(root, apt, [HEADERS], hear)
        remove(root, REMOVED)
        size = run(["du", "--summarize", "--bytes", upper]).stdout.split()[0]
        (folder / "unpacked-bytes").write_text(size)
        run(squashfs_arguments(upper, folder / LAYER_IMAGE), on_line=hear)
    shutil.rmtree(folder / "overlay")
