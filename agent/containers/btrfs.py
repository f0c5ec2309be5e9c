"""Containers' disks as btrfs subvolumes, their size limited by quota."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.config import Directory
from agent.core.commands import Command, command


@dataclass(frozen=True)
class BtrfsVolumes:
    """Subvolumes container-NAME and container-NAME.SNAPSHOT of a directory.

    quota: whether the file system counts already what each subvolume takes.
    """

    storage: Directory
    quota: bool
    copies_live = True

    def rootfs(self, name: str) -> str:
        """A folder, for LXC."""
        return f"dir:{self.path(name)}"

    def path(self, name: str) -> Path:
        """Where the files are."""
        return self.storage.path / f"container-{name}"

    def create(self, name: str, size: int) -> tuple[Command, ...]:
        """A new subvolume of at most so many bytes."""
        path = self.path(name)
        made = command("btrfs", "subvolume", "create", path, undo=_delete(path))
        return (made, *self._limit(name, size))

    def open(self, _name: str) -> tuple[Command, ...]:
        """The files are where they always are."""
        return ()

    def close(self, _name: str) -> tuple[Command, ...]:
        """Nothing was mounted."""
        return ()

    def snapshot(self, name: str, label: str) -> tuple[Command, ...]:
        """A snapshot that cannot be written to."""
        return (_snapshot(self.path(name), self.path(f"{name}.{label}"), "-r"),)

    def remove_snapshot(self, name: str, label: str) -> tuple[Command, ...]:
        """Remove a snapshot."""
        return (command(*_delete(self.path(f"{name}.{label}"))),)

    def rollback(
        self, name: str, label: str, _newer: tuple[str, ...], size: int
    ) -> tuple[Command, ...]:
        """A snapshot of the snapshot takes the subvolume's place; all snapshots stay."""
        path, aside = self.path(name), self.path(f"{name}+old")
        return (
            command("mv", path, aside, undo=("mv", aside, path)),
            _snapshot(self.path(f"{name}.{label}"), path),
            *self._limit(name, size),
            command(*_delete(aside)),
        )

    def linked_clone(self, source: str, name: str, size: int) -> tuple[Command, ...]:
        """A snapshot that can be written to; it does not depend on the source."""
        return (_snapshot(self.path(source), self.path(name)), *self._limit(name, size))

    def full_clone(self, source: str, name: str, size: int) -> tuple[Command, ...]:
        """A copy of all files of a moment."""
        moment = self.path(f"{source}+{name}")
        return (
            _snapshot(self.path(source), moment, "-r"),
            *self.create(name, size),
            command("cp", "--archive", "--reflink=never", f"{moment}/.", self.path(name)),
            command(*_delete(moment)),
        )

    def remove(self, name: str, snapshots: tuple[str, ...]) -> tuple[Command, ...]:
        """Remove the subvolume and its snapshots."""
        paths = [self.path(name)] + [self.path(f"{name}.{label}") for label in snapshots]
        return (command("btrfs", "subvolume", "delete", *paths),)

    def _limit(self, name: str, size: int) -> tuple[Command, ...]:
        # Simple quotas cost next to nothing; what is shared counts for who wrote it first.
        enable = command("btrfs", "quota", "enable", "--simple", self.storage.path)
        limit = command("btrfs", "qgroup", "limit", str(size), self.path(name))
        return (limit,) if self.quota else (enable, limit)


def _snapshot(source: Path, target: Path, *options: str) -> Command:
    argv = ("btrfs", "subvolume", "snapshot", *options)
    return command(*argv, source, target, undo=_delete(target))


def _delete(path: Path) -> tuple[str, ...]:
    return ("btrfs", "subvolume", "delete", str(path))
