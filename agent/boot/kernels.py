"""Which of the installed kernels the node may start."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from agent.core.command import run
from agent.core.errors import SlipwayError

ZFS_MODULE = re.compile(r"/zfs\.ko(\.\w+)?$", re.MULTILINE)


def installed_kernels(root: Path) -> list[str]:
    """Versions of the kernels below root/boot that have an initrd."""
    found = (path.name.removeprefix("vmlinuz-") for path in (root / "boot").glob("vmlinuz-*"))
    return [version for version in found if _initrd(root, version).exists()]


def startable_kernels(root: Path, parameters: Sequence[str]) -> list[str]:
    """Those whose initrd can mount the node's root. parameters: the kernel's.

    DKMS may fail to compile ZFS for a new kernel, or lack its headers; the node goes on with the
    kernels that it has. Raises SlipwayError when none is left.
    """
    kernels = installed_kernels(root)
    if not any(parameter.startswith("root=ZFS=") for parameter in parameters):
        return kernels
    startable = [version for version in kernels if _has_zfs(_initrd(root, version))]
    if not startable:
        raise SlipwayError(
            "no kernel has an initrd with ZFS, which the root lies on; nothing was changed",
            where=str(root / "boot"),
            hint="see what `dkms status` says, then run: update-initramfs -u -k all",
        )
    return startable


def _initrd(root: Path, version: str) -> Path:
    return root / f"boot/initrd.img-{version}"


def _has_zfs(initrd: Path) -> bool:
    return ZFS_MODULE.search(run(["lsinitramfs", initrd]).stdout) is not None
