"""The netboot tree: what blank machines start from over the network, beside the ISO.

UEFI starts Debian's signed shim, which takes GRUB beside it; BIOS starts iPXE. Both load the
medium's own kernel and initrd, and the initrd fetches the images of the live system.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from agent import __version__
from agent.core.command import run
from agent.core.template import render_tree
from image.cache import file_sha256
from image.iso import SHIM
from image.live import INSTALLER_IMAGE
from image.netboot_scripts import KERNEL_PARAMETERS, LIVE_SUMS, WAIT_SECONDS, tree_digest
from image.node import IMAGE

TREE = "tree"
SUMS = "SHA256SUMS"
# What firmware loads, by the names that it and shim ask for.
FIRMWARE_FILES = {
    "shimx64.efi": SHIM,
    "grubx64.efi": Path("/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed"),
    "undionly.kpxe": Path("/usr/lib/ipxe/undionly.kpxe"),
    "ipxe.efi": Path("/usr/lib/ipxe/ipxe.efi"),
}
# What live-boot stacks, in this order.
LIVE_IMAGES = (f"live/10-{IMAGE}", f"live/20-{INSTALLER_IMAGE}")


def make_netboot(files: Mapping[str, Path], folder: Path) -> None:
    """Fill folder/tree. files: the medium's files, by their paths on it; they are not copied."""
    tree = folder / TREE
    for path, source in {**files, **FIRMWARE_FILES}.items():
        place(source, tree / path)
    (tree / LIVE_SUMS).write_text(sums(LIVE_IMAGES, tree, below="live"))
    render_tree(
        "netboot/tree",
        tree,
        version=__version__,
        parameters=KERNEL_PARAMETERS,
        sums_sha256=tree_digest(tree),
        seconds=WAIT_SECONDS,
    )
    paths = sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file())
    (tree / SUMS).write_text(sums(paths, tree))


def place(source: Path, target: Path) -> None:
    """Hard-link a file to another place, or copy it where that is another file system."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        run(["cp", "--dereference", "--reflink=auto", source, target])


def place_tree(source: Path, target: Path) -> None:
    """Replace the tree at `target` by links to all files of another."""
    shutil.rmtree(target, ignore_errors=True)
    for path in source.rglob("*"):
        if path.is_file():
            place(path, target / path.relative_to(source))


def sums(paths: Iterable[str], folder: Path, below: str = "") -> str:
    """Lines for `sha256sum -c`, which is run in the folder, or below it."""
    start = Path(below)
    return "".join(
        f"{file_sha256(folder / path)}  {Path(path).relative_to(start)}\n" for path in paths
    )
