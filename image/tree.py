"""Root trees: mounts that a chroot needs, overlays over a tree, commands inside one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.core.command import Argument, Result, run
from agent.core.errors import SlipwayError
from image.progress import Listener

# Documentation stays out of the node; licenses stay in.
DPKG_OPTIONS = (
    "force-unsafe-io",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
)

# What programs in a tree expect, as (type or --rbind source, path below the tree).
SYSTEM_MOUNTS = (("proc", "proc"), ("sysfs", "sys"), ("/dev", "dev"), ("tmpfs", "run"))


@contextmanager
def system_mounts(root: Path) -> Iterator[Path]:
    """/proc, /sys, /dev and an empty /run below root while the context lasts."""
    with ExitStack() as stack:
        for what, where in SYSTEM_MOUNTS:
            kind = ["--rbind", what] if what.startswith("/") else ["-t", what, what]
            run(["mount", *kind, root / where])
            stack.callback(run, ["umount", "--recursive", "--lazy", root / where])
        _place_resolver(root)
        yield root


def _place_resolver(root: Path) -> None:
    """A node's /etc/resolv.conf points here; apt in the tree needs one too."""
    resolver = root / "run/NetworkManager/resolv.conf"
    resolver.parent.mkdir()
    shutil.copyfile("/etc/resolv.conf", resolver)


@contextmanager
def overlay(lower: Sequence[Path], scratch: Path) -> Iterator[tuple[Path, Path]]:
    """A writable view of trees, the first on top: gives (the merged tree, what changed)."""
    merged, upper, work = (scratch / name for name in ("merged", "upper", "work"))
    for folder in (merged, upper, work):
        folder.mkdir(parents=True)
    options = f"lowerdir={':'.join(map(str, lower))},upperdir={upper},workdir={work}"
    run(["mount", "-t", "overlay", "-o", options, "overlay", merged])
    try:
        yield merged, upper
    finally:
        run(["umount", merged])


def run_inside(
    root: Path, argv: Sequence[Argument], *, on_line: Callable[[str], None] | None = None
) -> Result:
    """Run a program of the tree, in the tree. No initramfs is made by packages on the way."""
    return run(["chroot", root, *argv], env={"INITRD": "No"}, on_line=on_line)


def apt_install(root: Path, apt: Path, packages: Sequence[str], hear: Listener) -> None:
    """Install packages in a tree, with the apt settings of this build (folder `apt`)."""
    config = root / "tmp" / "apt.conf"
    shutil.copy(apt / "apt.conf", config)
    setting = ["--config-file", f"/{config.relative_to(root)}"]
    run_inside(root, ["apt-get", *setting, "update"], on_line=hear)
    options = ["--yes", "--no-install-recommends"]
    options += [f"--option=DPkg::Options::=--{option}" for option in DPKG_OPTIONS]
    run_inside(root, ["apt-get", *setting, *options, "install", *packages], on_line=hear)


def kernel_version(root: Path) -> str:
    """The version of the tree's one kernel. Raises SlipwayError when there is not just one."""
    kernels = [path.name.removeprefix("vmlinuz-") for path in (root / "boot").glob("vmlinuz-*")]
    if len(kernels) != 1:
        raise SlipwayError(
            f"the image must hold one kernel, not {len(kernels)}", where=str(root / "boot")
        )
    return kernels[0]


def squashfs_arguments(source: Path, output: Path, excluded: Sequence[str] = ()) -> list[str]:
    """mksquashfs's command line. excluded: wildcards below the source; they come last, because
    everything after -e is one.

    zstd 9 with 128 KiB blocks: 2 % larger than level 15 and made in a sixth of the time.
    """
    arguments = ["mksquashfs", str(source), str(output), "-noappend", "-comp", "zstd"]
    arguments += ["-Xcompression-level", "9", "-b", "128K", "-no-progress", "-wildcards"]
    return [*arguments, "-e", *excluded] if excluded else arguments
