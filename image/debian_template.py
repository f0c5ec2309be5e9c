"""The Debian template: what the first container is made from, without any network.

mmdebstrap makes it like the node, from the same archive. It lies on the medium as a layer that
holds the node's store of templates with this one in it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from agent.core.command import run
from agent.core.template import render_tree
from agent.stack import Stack
from agent.templates.store import FOLDER, Store
from image.node import remove
from image.progress import Listener
from image.tree import DPKG_OPTIONS, squashfs_arguments

LAYER_IMAGE = "debian-template.squashfs"
PACKAGES = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "iputils-ping",
    "less",
    "nano",
    "netbase",
    "procps",
    "systemd",
    "systemd-resolved",
    "systemd-sysv",
)
ENABLED = ("systemd-networkd.service",)
# What a container's root may not do, and would be told as failed.
MASKED = ("sys-kernel-config.mount", "sys-kernel-debug.mount", "systemd-modules-load.service")
REMOVED = (
    *("etc/apt/apt.conf.d/99mmdebstrap", "etc/dpkg/dpkg.cfg.d/99mmdebstrap", "etc/hostname"),
    *("etc/resolv.conf.dpkg*", "var/lib/apt/lists/*", "var/cache/apt/*.bin", "var/log/*"),
    *("var/cache/ldconfig/*", "var/lib/dpkg/*-old", "dev/*", "run/*", "tmp/*"),
)
# 14 % larger than level 19, and made in a thirtieth of its time.
COMPRESSION = "zstd -9 -T0"


def mmdebstrap_arguments(stack: Stack, apt: Path, root: Path) -> list[str]:
    """mmdebstrap's command line. apt: the folder with sources.list and apt.conf."""
    return [
        *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory"),
        f"--aptopt={apt / 'apt.conf'}",
        *(f"--dpkgopt={option}" for option in DPKG_OPTIONS),
        f"--include={','.join(PACKAGES)}",
        *(stack.suite, str(root), str(apt / "sources.list")),
    ]


def tar_arguments(root: Path, epoch: int, output: Path) -> list[str]:
    """tar's command line; same tree, same bytes. epoch: no file is newer, in seconds."""
    return [
        *("tar", "--create", "--numeric-owner", "--xattrs", "--xattrs-include=*"),
        *("--sort=name", f"--mtime=@{epoch}", "--clamp-mtime", f"--directory={root}"),
        *(f"--use-compress-program={COMPRESSION}", f"--file={output}", "."),
    ]


def make_debian_template(stack: Stack, apt: Path, epoch: int, folder: Path, hear: Listener) -> None:
    """Write folder/debian-template.squashfs: the store of templates with Debian's in it."""
    root, archive, layer = folder / "root", folder / "archive", folder / "layer"
    run(mmdebstrap_arguments(stack, apt, root), on_line=hear)
    render_tree("debian-template", root)
    run(["systemctl", f"--root={root}", "enable", *ENABLED], on_line=hear)
    run(["systemctl", f"--root={root}", "mask", *MASKED], on_line=hear)
    remove(root, REMOVED)
    run(tar_arguments(root, epoch, archive), on_line=hear)
    store = Store(layer / FOLDER.relative_to("/"))
    store.keep(f"debian/{release(root)}/amd64", ".tar.zst", archive)
    remove(store.folder, [".lock"])
    size = run(["du", "--summarize", "--bytes", layer]).stdout.split()[0]
    (folder / "unpacked-bytes").write_text(size)
    run(squashfs_arguments(layer, folder / LAYER_IMAGE), on_line=hear)
    for tree in (root, layer):
        shutil.rmtree(tree)


def release(root: Path) -> str:
    """Debian's version number in a tree: "13"."""
    lines = (root / "etc/os-release").read_text().splitlines()
    return next(line.partition("=")[2].strip('"') for line in lines if "VERSION_ID=" in line)
