"""ZFS pools and datasets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.core.command import run
from installer.plan.storage_actions import (
    CreateDataset,
    CreateZpool,
    ExportZpool,
    RetireZpool,
    SetZpoolProperty,
)


def retire_zpool(action: RetireZpool, target: Path) -> None:
    """Give an old pool another name: importing is how ZFS does it. Nothing of it is mounted."""
    run(["zpool", "import", "-f", "-N", "-o", "cachefile=none", action.guid, action.new_name])
    run(["zpool", "export", action.new_name])


def create_zpool(action: CreateZpool, target: Path) -> None:
    """Create a pool, also of disks that differ in size."""
    options = [*_options("-o", action.properties), *_options("-O", action.dataset_properties)]
    run(["zpool", "create", "-f", *options, action.name, *action.vdevs])


def create_dataset(action: CreateDataset, target: Path) -> None:
    """Create a dataset without mounting it."""
    run(["zfs", "create", "-u", *_options("-o", action.properties), action.name])


def set_zpool_property(action: SetZpoolProperty, target: Path) -> None:
    """Set a property of a pool."""
    run(["zpool", "set", f"{action.name}={action.value}", action.pool])


def export_zpool(action: ExportZpool, target: Path) -> None:
    """Release a pool, so that the node may import it without force."""
    run(["zpool", "export", action.pool])


def _options(flag: str, properties: Mapping[str, str]) -> list[str]:
    return [word for name, value in properties.items() for word in (flag, f"{name}={value}")]
