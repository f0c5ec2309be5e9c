"""The node image: the packages' tree, configured, without anything that must differ per node."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from agent import __version__
from agent.core.command import run
from agent.core.template import render_tree
from agent.stack import Stack
from image.progress import Listener
from image.tree import overlay, run_inside, squashfs_arguments, system_mounts

IMAGE = "node.squashfs"
# What installing packages leaves in a tree.
PACKAGING = (
    "var/lib/apt/lists/*",
    "var/cache/apt/*.bin",
    "var/cache/apt/archives/*.deb",
    "var/lib/dpkg/*-old",
    "var/log/*",
    "tmp/*",
)
# Left by building, of no use on a node.
REMOVED = (
    *PACKAGING,
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "usr/sbin/policy-rc.d",
    "var/cache/ldconfig/*",
    "var/cache/debconf/*-old",
    "var/lib/systemd/random-seed",
    "var/tmp/*",
)
# Kernel and initrd lie on the medium already and are copied from there: 55 MB of a 235 MB image.
# Debian's manual pages stay out, Slipway's own do not.
MANUAL = "--path-include=/usr/share/man*"
EXCLUDED = ("boot/vmlinuz*", "boot/initrd*", "proc/*", "sys/*", "dev/*", "run/*")


def make_node(stack: Stack, packages: Path, deb: Path, folder: Path, hear: Listener) -> None:
    """Write folder/node.squashfs from the packages' tree and Slipway's own package.

    folder/layer keeps what differs from the packages' tree, for layers on top of the node.
    """
    with overlay([packages], folder / "overlay") as (root, upper):
        render_tree("image", root, version=__version__)
        render_tree("initramfs", root)
        install(deb, root, hear)
        disable(stack, root, hear)
        remove(root, [*REMOVED, *(path for role in stack.roles for path in role.removed)])
        remove_idle_profiles(root)
        (root / "etc/machine-id").write_text("uninitialized\n")
        mark_updated(root)
        size = run(["du", "--summarize", "--bytes", "--exclude=boot/*", root]).stdout.split()[0]
        (folder / "unpacked-bytes").write_text(size)
        run(squashfs_arguments(root, folder / IMAGE, EXCLUDED), on_line=hear)
    upper.rename(folder / "layer")
    shutil.rmtree(folder / "overlay")


def remove_idle_profiles(root: Path) -> None:
    """Remove AppArmor profiles that confine nothing.

    Debian ships some 75 of them, for desktop programs under kernels that restrict user
    namespaces; a node would compile them all before anything else at its first boot.
    """
    for profile in (root / "etc/apparmor.d").iterdir():
        if profile.is_file() and "flags=(unconfined)" in profile.read_text():
            profile.unlink()


def mark_updated(root: Path) -> None:
    """Say that /etc and /var fit /usr, see systemd-update-done(8): nothing is rebuilt at boot."""
    markers = [root / folder / ".updated" for folder in ("etc", "var")]
    run(["touch", "--reference", root / "usr", *markers])


def install(deb: Path, root: Path, hear: Listener) -> None:
    """Install one package file in the tree."""
    shutil.copy(deb, root / "tmp" / deb.name)
    with system_mounts(root):
        run_inside(root, ["dpkg", MANUAL, "--install", f"/tmp/{deb.name}"], on_line=hear)


def disable(stack: Stack, root: Path, hear: Listener) -> None:
    """Switch off what packages switched on by themselves."""
    units = [unit for role in stack.roles for unit in role.disabled]
    run(["systemctl", f"--root={root}", "disable", *units], on_line=hear)
    profiles = [profile for role in stack.roles for profile in role.disabled_pam]
    run_inside(root, ["pam-auth-update", "--disable", *profiles], on_line=hear)


def remove(root: Path, patterns: Iterable[str]) -> None:
    """Remove files and folders by patterns below the root."""
    for pattern in patterns:
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
