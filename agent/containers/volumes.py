"""What every kind of storage can do for containers."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, assert_never

from agent.config import Directory, GuestStorage, LvmThin, Zfs
from agent.containers.btrfs import BtrfsVolumes
from agent.containers.lvm import LvmVolumes
from agent.containers.zfs import ZfsVolumes
from agent.core.commands import Command


class Volumes(Protocol):
    """Plans for the disk of a container, by the container's name. Sizes are in bytes."""

    @property
    def copies_live(self) -> bool:
        """Whether a full clone of a running container is of one moment."""

    def rootfs(self, name: str) -> str:
        """LXC's lxc.rootfs.path."""

    def path(self, name: str) -> Path:
        """Where the files are while the disk is open."""

    def create(self, name: str, size: int) -> tuple[Command, ...]:
        """A new, open, empty disk."""

    def open(self, name: str) -> tuple[Command, ...]:
        """Make the files of a disk visible."""

    def close(self, name: str) -> tuple[Command, ...]:
        """Leave the disk to LXC."""

    def snapshot(self, name: str, label: str) -> tuple[Command, ...]:
        """Keep the disk as it is now."""

    def remove_snapshot(self, name: str, label: str) -> tuple[Command, ...]:
        """Give a snapshot up."""

    def rollback(
        self, name: str, label: str, newer: tuple[str, ...], size: int
    ) -> tuple[Command, ...]:
        """Make the disk what it was. newer: snapshots since then."""

    def linked_clone(self, source: str, name: str, size: int) -> tuple[Command, ...]:
        """A new disk that shares with the source what both have; not open."""

    def full_clone(self, source: str, name: str, size: int) -> tuple[Command, ...]:
        """A new disk with a copy of all; not open."""

    def remove(self, name: str, snapshots: tuple[str, ...]) -> tuple[Command, ...]:
        """Give the disk and its snapshots up."""


def volumes_of(storage: GuestStorage, *, quota: bool = False) -> Volumes:
    """The volumes of a storage. quota: see BtrfsVolumes."""
    match storage:
        case LvmThin():
            return LvmVolumes(storage)
        case Zfs():
            return ZfsVolumes(storage)
        case Directory():
            return BtrfsVolumes(storage, quota)
        case _:
            assert_never(storage)
