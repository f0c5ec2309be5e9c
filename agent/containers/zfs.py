"""Containers' disks as ZFS datasets, mounted where LXC looks for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.config import Zfs
from agent.containers.model import OWN_SNAPSHOT, ContainerError, rootfs_of
from agent.core.commands import Command, command

# What systemd's journal and capabilities of files need.
PROPERTIES = ("-o", "acltype=posixacl", "-o", "xattr=sa")


@dataclass(frozen=True)
class ZfsVolumes:
    """Datasets container-NAME below the storage's dataset."""

    storage: Zfs
    copies_live = True

    def rootfs(self, name: str) -> str:
        """ZFS mounts the dataset."""
        return f"dir:{rootfs_of(name)}"

    def path(self, name: str) -> Path:
        """Where the files are, while it is open."""
        return rootfs_of(name)

    def create(self, name: str, size: int) -> tuple[Command, ...]:
        """A new dataset of at most so many bytes."""
        dataset = self._dataset(name)
        return (
            command(
                *("zfs", "create", *PROPERTIES, *_own(name, size), dataset),
                undo=("zfs", "destroy", "-r", dataset),
            ),
        )

    def open(self, _name: str) -> tuple[Command, ...]:
        """It is mounted already."""
        return ()

    def close(self, _name: str) -> tuple[Command, ...]:
        """It stays mounted."""
        return ()

    def snapshot(self, name: str, label: str) -> tuple[Command, ...]:
        """A snapshot."""
        return (command("zfs", "snapshot", f"{self._dataset(name)}@{label}"),)

    def remove_snapshot(self, name: str, label: str) -> tuple[Command, ...]:
        """Remove a snapshot."""
        return (command("zfs", "destroy", f"{self._dataset(name)}@{label}"),)

    def rollback(
        self, name: str, label: str, newer: tuple[str, ...], _size: int
    ) -> tuple[Command, ...]:
        """Go back. Raises ContainerError where ZFS would destroy newer snapshots."""
        if newer:
            raise ContainerError(
                f"ZFS goes back to the newest snapshot only; newer are: {', '.join(newer)}",
                hint=f"remove them first: slipway container snapshot {name} {newer[-1]} --remove",
            )
        return (command("zfs", "rollback", f"{self._dataset(name)}@{label}"),)

    def linked_clone(self, source: str, name: str, size: int) -> tuple[Command, ...]:
        """A clone; the snapshot below it goes when the clone goes."""
        snapshot, taken = self._own_snapshot(source, name)
        dataset = self._dataset(name)
        return (
            taken,
            command(
                *("zfs", "clone", *PROPERTIES, *_own(name, size), snapshot, dataset),
                undo=("zfs", "destroy", "-r", dataset),
            ),
            command("zfs", "destroy", "-d", snapshot),
        )

    def full_clone(self, source: str, name: str, size: int) -> tuple[Command, ...]:
        """A copy of all files of a moment."""
        snapshot, taken = self._own_snapshot(source, name)
        files = rootfs_of(source) / ".zfs/snapshot" / f"{OWN_SNAPSHOT}{name}"
        return (
            taken,
            *self.create(name, size),
            command("cp", "--archive", f"{files}/.", rootfs_of(name)),
            command("zfs", "destroy", snapshot),
        )

    def remove(self, name: str, _snapshots: tuple[str, ...]) -> tuple[Command, ...]:
        """Remove the dataset and its snapshots."""
        return (command("zfs", "destroy", "-r", self._dataset(name)),)

    def _own_snapshot(self, source: str, name: str) -> tuple[str, Command]:
        snapshot = f"{self._dataset(source)}@{OWN_SNAPSHOT}{name}"
        return snapshot, command("zfs", "snapshot", snapshot, undo=("zfs", "destroy", snapshot))

    def _dataset(self, name: str) -> str:
        return f"{self.storage.dataset}/container-{name}"


def _own(name: str, size: int) -> tuple[str, ...]:
    return ("-o", f"refquota={size}", "-o", f"mountpoint={rootfs_of(name)}")
