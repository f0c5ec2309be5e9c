"""Software RAID."""

from __future__ import annotations

from pathlib import Path

from agent.core.command import run
from installer.plan.storage_actions import CreateRaid

# Where the array's data begins on each member: behind the superblock, the bitmap and the list of
# bad blocks. Left to itself, mdadm reserves up to 128 MiB for a change of layout, which a mirror
# never needs.
DATA_OFFSET = "2M"


def create_raid(action: CreateRaid, target: Path) -> None:
    """Create an array. Its name belongs to no host, so that every system gives it the same.

    The first synchronisation waits for the node's start: it would slow the installation down.
    """
    identity = ["--homehost=any", f"--name={action.name}", "--metadata=1.2"]
    shape = [f"--level={action.level}", f"--raid-devices={len(action.members)}"]
    details = ["--bitmap=internal", f"--data-offset={DATA_OFFSET}"]
    run(["mdadm", "--create", action.device, "--run", *identity, *shape, *details, *action.members])
    kernel_name = Path(action.device).resolve().name
    Path("/sys/class/block", kernel_name, "md/sync_action").write_text("frozen\n")
