"""Volume groups, logical volumes and thin pools."""

from __future__ import annotations

from pathlib import Path

from agent.core.command import run
from installer.plan.storage_actions import (
    CreateLogicalVolume,
    CreateThinPool,
    CreateVolumeGroup,
    RetireVolumeGroup,
)

# Room for LVM's metadata on each device; with it data starts at the first mebibyte.
METADATA_SIZE = "250k"


def retire_volume_group(action: RetireVolumeGroup, target: Path) -> None:
    """Give an old volume group another name, so that it is not taken for the node's."""
    run(["vgrename", action.uuid, action.new_name])


def create_volume_group(action: CreateVolumeGroup, target: Path) -> None:
    """Make the devices physical volumes, then one group of them."""
    run(["pvcreate", "--yes", "-ff", "--metadatasize", METADATA_SIZE, *action.devices])
    run(["vgcreate", action.name, *action.devices])


def create_logical_volume(action: CreateLogicalVolume, target: Path) -> None:
    """Create a volume; old signatures in its space are cleared."""
    where = ["--name", action.name, "--size", f"{action.size_kib}k", action.group]
    run(["lvcreate", "--yes", "--wipesignatures", "y", *where])


def create_thin_pool(action: CreateThinPool, target: Path) -> None:
    """Create a thin pool with its metadata and the spare that LVM keeps for repairs."""
    sizes = ["--size", f"{action.size_kib}k", "--poolmetadatasize", f"{action.metadata_kib}k"]
    run(["lvcreate", "--yes", "--type", "thin-pool", "--name", action.name, *sizes, action.group])
