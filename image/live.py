"""The live system: what the installer needs beyond the node, and the one kernel and initrd."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from agent import __version__
from agent.core.command import run
from agent.core.template import TEMPLATES, render_tree
from image.cache import file_sha256
from image.node import PACKAGING, remove
from image.package import LIBRARY, copy_sources
from image.progress import Listener
from image.tree import (
    apt_install,
    kernel_version,
    overlay,
    run_inside,
    squashfs_arguments,
    system_mounts,
)
from image.zfs import place_modules

# Only the live system needs these; the node stays without them.
PACKAGES = (
    "live-boot",
    "live-boot-initramfs-tools",
    "python3-dnspython",
    "python3-parted",
    "python3-qrcode",
    "python3-tomlkit",
    "python3-urwid",
    "squashfs-tools",
    "zfs-initramfs",
    "zfsutils-linux",
)
# Templates of what its initrd is made by; a node's own initrds have only the first.
INITRAMFS = ("initramfs", "initramfs-live")
INSTALLER_IMAGE = "installer.squashfs"
KERNEL, INITRD = "vmlinuz", "initrd.img"


def make_live(packages: Path, modules: Path, apt: Path, folder: Path, hear: Listener) -> None:
    """Fill folder with `layer` (what the live system adds), the kernel and the initrd.

    The initrd is made in a tree that has live-boot and all that a node's root may lie on, so one
    initrd starts the live system and every node; the node's own updates make it smaller.
    """
    with overlay([packages], folder / "overlay") as (root, upper):
        version = kernel_version(root)
        with system_mounts(root):
            apt_install(root, apt, PACKAGES, hear)
            place_modules(modules, root, version)
            for templates in INITRAMFS:
                render_tree(templates, root)
            run_inside(root, ["mkinitramfs", "-o", f"/tmp/{INITRD}", version], on_line=hear)
        shutil.copy(root / "boot" / f"vmlinuz-{version}", folder / KERNEL)
        shutil.copy(root / "tmp" / INITRD, folder / INITRD)
        (folder / "kernel-version").write_text(version)
        remove(upper, (*PACKAGING, "boot/initrd*"))
        run(["cp", "--archive", upper, folder / "layer"])
    shutil.rmtree(folder / "overlay")


def medium_description(live: Path, images: Sequence[Path]) -> dict[str, object]:
    """What the installer checks before it trusts the medium: sizes in bytes, SHA-256 digests.

    live: the folder of kernel and initrd; images: what may be unpacked on a node.
    """
    files = {path.name: path for path in (live / KERNEL, live / INITRD, *images)}
    return {
        "version": __version__,
        "kernel_version": (live / "kernel-version").read_text(),
        "files": {name: _describe(path) for name, path in files.items()},
    }


def _describe(path: Path) -> dict[str, object]:
    unpacked = path.with_name("unpacked-bytes")
    return {
        "size_bytes": path.stat().st_size,
        "sha256": file_sha256(path),
        "unpacked_bytes": int(unpacked.read_text()) if unpacked.exists() else 0,
    }


def make_installer(
    top: Path, live: Path, images: Sequence[Path], folder: Path, hear: Listener
) -> None:
    """Write folder/installer.squashfs: the live layer with the installer of this checkout."""
    layer = folder / "layer"
    run(["cp", "--archive", "--reflink=auto", live / "layer", layer])
    copy_sources(("installer",), top, layer / LIBRARY)
    compile_texts(layer / LIBRARY / "installer" / "locale")
    shutil.copytree(TEMPLATES, layer / LIBRARY / "config-templates", symlinks=True)
    render_tree("live", layer, version=__version__)
    run(["python3", "-m", "compileall", "-q", layer / LIBRARY / "installer"])
    description = json.dumps(medium_description(live, images), indent=2)
    (layer / LIBRARY / "medium.json").write_text(description)
    # Empty means: not a first start. Else systemd would enable all that Debian's presets name, at
    # every start.
    (layer / "etc/machine-id").write_text("")
    run(squashfs_arguments(layer, folder / INSTALLER_IMAGE), on_line=hear)
    shutil.rmtree(layer)


def compile_texts(folder: Path) -> None:
    """Put what gettext reads in the place of each translation below this folder."""
    for source in sorted(folder.rglob("*.po")):
        run(["msgfmt", "--check", "--output-file", source.with_suffix(".mo"), source])
        source.unlink()
