"""The stack's packages as a root tree: the slow step, made once per list of packages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.core.command import run
from agent.core.template import render_tree
from agent.stack import Stack
from image.progress import Listener
from image.tree import DPKG_OPTIONS, run_inside, system_mounts
from image.zfs import SOURCE as ZFS_SOURCE

# No service may start while packages are configured in a tree.
NO_SERVICES = 'printf "#!/bin/sh\\nexit 101\\n" > "$1/usr/sbin/policy-rc.d"'
NO_SERVICES_HOOK = f'mkdir -p "$1/usr/sbin" && {NO_SERVICES} && chmod 755 "$1/usr/sbin/policy-rc.d"'


ZFS_VERSION = "zfs-version"


def mmdebstrap_arguments(stack: Stack, apt: Path, root: Path) -> list[str]:
    """mmdebstrap's command line. apt: the folder with sources.list and apt.conf."""
    return [
        "mmdebstrap",
        "--mode=root",
        # The lists tell which version of a package that comes later belongs to this tree.
        "--skip=cleanup/apt/lists",
        "--variant=minbase",
        "--format=directory",
        f"--aptopt={apt / 'apt.conf'}",
        *(f"--dpkgopt={option}" for option in DPKG_OPTIONS),
        f"--setup-hook={NO_SERVICES_HOOK}",
        f"--include={','.join(package_names(stack))}",
        stack.suite,
        str(root),
        str(apt / "sources.list"),
    ]


def package_names(stack: Stack) -> Sequence[str]:
    """All packages of a node, sorted."""
    names = {stack.kernel}
    for role in stack.roles:
        names.update(role.packages, role.firmware)
    return sorted(names)


def make_packages(stack: Stack, apt: Path, folder: Path, hear: Listener) -> None:
    """Fill folder/root with the stack's packages, configured, with its locales.

    folder/zfs-version is the version of OpenZFS that the archive has for this tree.
    """
    root = folder / "root"
    run(mmdebstrap_arguments(stack, apt, root), env={"INITRD": "No"}, on_line=hear)
    render_tree("locale", root)
    with system_mounts(root):
        run_inside(root, ["locale-gen"], on_line=hear)
        about = run_inside(root, ["apt-cache", "show", "--no-all-versions", ZFS_SOURCE]).stdout
    version = next(line for line in about.splitlines() if line.startswith("Version:"))
    (folder / ZFS_VERSION).write_text(version.removeprefix("Version:").strip())
