"""File systems, swap and mounts."""

from __future__ import annotations

from pathlib import Path

from agent.core.command import Argument, run
from installer.plan.storage_actions import (
    CreateSubvolume,
    MakeFilesystem,
    MakeSwap,
    Mount,
)

# How each mkfs is told to make no questions, and a file system's id.
MKFS = {
    "ext4": ("mkfs.ext4", "-F", "-q"),
    "xfs": ("mkfs.xfs", "-f", "-q"),
    "vfat": ("mkfs.vfat",),
    "btrfs": ("mkfs.btrfs", "--force", "--quiet"),
}
UUID_OPTION = {"ext4": "-U", "vfat": "-i", "btrfs": "--uuid"}


def make_filesystem(action: MakeFilesystem, target: Path) -> None:
    """Make a file system on its devices."""
    uuid: list[str] = []
    if action.uuid:
        value = action.uuid.replace("-", "") if action.filesystem == "vfat" else action.uuid
        uuid = [UUID_OPTION[action.filesystem], value]
    run([*MKFS[action.filesystem], *action.options, *uuid, *action.devices])


def make_swap(action: MakeSwap, target: Path) -> None:
    """Make the device swap space."""
    run(["mkswap", action.device])


def mount(action: Mount, target: Path) -> None:
    """Mount the device below the target."""
    place = target / action.path.lstrip("/")
    place.mkdir(parents=True, exist_ok=True)
    options: list[Argument] = ["--options", ",".join(action.options)] if action.options else []
    run(["mount", "--types", action.filesystem, *options, action.device, place])


def create_subvolume(action: CreateSubvolume, target: Path) -> None:
    """Create a btrfs subvolume below the target, and the folders above it."""
    path = target / action.path.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    run(["btrfs", "subvolume", "create", path])
