"""Containers' disks as logical volumes; snapshots and clones need a thin pool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.config import LvmThin
from agent.containers.model import ContainerError, rootfs_of
from agent.core.commands import Command, command

# A thin snapshot is not activated by itself unless told so.
ACTIVE = ("--setactivationskip", "n")


@dataclass(frozen=True)
class LvmVolumes:
    """Volumes of a group: container-NAME, and container-NAME.SNAPSHOT beside it."""

    storage: LvmThin

    def rootfs(self, name: str) -> str:
        """LXC mounts the volume itself."""
        return f"lvm:{self._device(name)}"

    def path(self, name: str) -> Path:
        """Where the files are, while it is open."""
        return rootfs_of(name)

    def create(self, name: str, size: int) -> tuple[Command, ...]:
        """A new volume of so many bytes with ext4, mounted."""
        device = self._device(name)
        return (
            self._new_volume(name, size),
            command("mkfs.ext4", "-q", device),
            *self.open(name),
        )

    def open(self, name: str) -> tuple[Command, ...]:
        """Mount it."""
        path = rootfs_of(name)
        return (
            command("install", "--directory", path),
            command("mount", self._device(name), path, undo=("umount", path)),
        )

    def close(self, name: str) -> tuple[Command, ...]:
        """Unmount it."""
        return (command("umount", rootfs_of(name)),)

    def snapshot(self, name: str, label: str) -> tuple[Command, ...]:
        """A thin snapshot; LVM freezes the file system for the moment."""
        self._need_thin_pool("snapshots")
        origin = self._volume(name)
        return (command("lvcreate", "--snapshot", "--name", f"{_lv(name)}.{label}", origin),)

    def remove_snapshot(self, name: str, label: str) -> tuple[Command, ...]:
        """Remove a snapshot."""
        return (command("lvremove", "--yes", f"{self._volume(name)}.{label}"),)

    def rollback(
        self, name: str, label: str, _newer: tuple[str, ...], _size: int
    ) -> tuple[Command, ...]:
        """A snapshot of the snapshot takes the volume's place; all snapshots stay."""
        group, volume = self.storage.volume_group, _lv(name)
        aside = f"{volume}+old"
        back = ("lvrename", group, aside, volume)
        return (
            command("lvrename", group, volume, aside, undo=back),
            self._clone(volume, f"{volume}.{label}"),
            command("lvremove", "--yes", f"{group}/{aside}"),
        )

    def linked_clone(self, source: str, name: str, _size: int) -> tuple[Command, ...]:
        """A thin snapshot as a volume of its own; it does not depend on the source."""
        self._need_thin_pool("linked clones")
        return (self._clone(_lv(name), _lv(source)),)

    def full_clone(self, source: str, name: str, size: int) -> tuple[Command, ...]:
        """A copy of every block that is in use."""
        origin = source
        before: tuple[Command, ...] = ()
        after: tuple[Command, ...] = ()
        if self.storage.thin_pool:
            origin = f"{source}+{name}"
            before = (self._clone(_lv(origin), _lv(source)),)
            after = (command("lvremove", "--yes", self._volume(origin)),)
        return (
            *before,
            self._new_volume(name, size),
            command(
                "dd",
                f"if={self._device(origin)}",
                f"of={self._device(name)}",
                *("bs=4M", "conv=sparse,fsync", "status=none"),
            ),
            *after,
        )

    def remove(self, name: str, snapshots: tuple[str, ...]) -> tuple[Command, ...]:
        """Remove the volume and its snapshots."""
        volumes = [self._volume(name), *(f"{self._volume(name)}.{label}" for label in snapshots)]
        return (command("lvremove", "--yes", *volumes),)

    @property
    def copies_live(self) -> bool:
        """Whether a full clone of a running container is of one moment."""
        return bool(self.storage.thin_pool)

    def _new_volume(self, name: str, size: int) -> Command:
        thin = ("--thin", "--virtualsize") if self.storage.thin_pool else ("--size",)
        pool = f"/{self.storage.thin_pool}" if self.storage.thin_pool else ""
        wipe = ("--yes", "--wipesignatures", "y")
        group = f"{self.storage.volume_group}{pool}"
        return command(
            *("lvcreate", *wipe, "--name", _lv(name), *thin, f"{size}b", group),
            undo=("lvremove", "--yes", self._volume(name)),
        )

    def _clone(self, volume: str, origin: str) -> Command:
        group = self.storage.volume_group
        return command(
            *("lvcreate", "--snapshot", *ACTIVE, "--name", volume, f"{group}/{origin}"),
            undo=("lvremove", "--yes", f"{group}/{volume}"),
        )

    def _need_thin_pool(self, what: str) -> None:
        if not self.storage.thin_pool:
            raise ContainerError(
                f"{what} need a thin pool, and the group {self.storage.volume_group} has none"
            )

    def _volume(self, name: str) -> str:
        return f"{self.storage.volume_group}/{_lv(name)}"

    def _device(self, name: str) -> Path:
        return Path("/dev", self._volume(name))


def _lv(name: str) -> str:
    return f"container-{name}"
