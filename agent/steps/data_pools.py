"""Extra pools: the installer makes them, the node takes them into use at its first start."""

from __future__ import annotations

from typing import assert_never

from agent.config import Directory, GuestStorage, LvmThin, Zfs
from agent.core.command import run
from agent.core.errors import CommandFailed
from agent.step import WaitForOperator


def is_attached(storage: GuestStorage) -> bool:
    """Whether the system has the pool in its hands. Raises ToolMissing."""
    match storage:
        case Zfs(dataset=dataset):
            return run(["zpool", "list", "-H", _pool(dataset)], check=False).status == 0
        case Directory(path=path):
            return path.is_mount()
        case LvmThin():
            # LVM activates every group whose disks it sees.
            return True
        case _:
            assert_never(storage)


def attach(storage: GuestStorage) -> None:
    """Take the pool into use. Raises WaitForOperator when its disks do not allow it.

    ZFS remembers an imported pool; a btrfs is in fstab, but systemd does not mount one that lost
    a disk.
    """
    try:
        match storage:
            case Zfs(dataset=dataset):
                run(["zpool", "import", _pool(dataset)])
            case Directory(path=path):
                path.mkdir(parents=True, exist_ok=True)
                run(["mount", path])
    except CommandFailed as error:
        raise WaitForOperator(
            f"a pool cannot be taken into use: {error.output}",
            hint="check the disks, then run: systemctl restart slipway-agent",
        ) from error


def _pool(dataset: str) -> str:
    return dataset.partition("/")[0]
