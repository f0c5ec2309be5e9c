"""How far ZFS, md and btrfs are with a new disk, and a line for a person about it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.core.command import run
from agent.core.errors import SlipwayError

POLL_SECONDS = 2.0
DONE = 100.0


def follow(percent: Callable[[], float]) -> None:
    """Print the percentage whenever it has grown by a whole one, until it is DONE."""
    shown = -1
    while True:
        now = percent()
        if int(now) > shown:
            shown = int(now)
            print(f"slipway disk: {shown} % of the data copied", flush=True)
        if now >= DONE:
            return
        time.sleep(POLL_SECONDS)


def zfs(pool: str) -> float:
    """Per cent of a pool's resilvering."""
    answer = json.loads(run(["zpool", "status", "-j", "--json-int", pool]).stdout)
    return zfs_percent(answer["pools"][pool])


def zfs_percent(pool: dict[str, Any]) -> float:
    """The same from the pool's part of `zpool status -j --json-int`."""
    scan = pool.get("scan_stats", {})
    if scan.get("function") != "RESILVER" or scan.get("state") != "SCANNING":
        return DONE
    return _part(scan.get("issued", 0), scan.get("to_examine", 0))


def md(array: str, partition: str, block: Path = Path("/sys/block")) -> float:
    """Per cent of an array that the new member holds."""
    folder = block / Path(array).name / "md"
    state = (folder / f"dev-{Path(partition).name}" / "state").read_text().strip().split(",")
    if "in_sync" in state:
        return DONE
    if "faulty" in state:
        raise SlipwayError("the new disk failed", where=partition, hint="see: dmesg")
    words = (folder / "sync_completed").read_text().split()
    # "none" or "delayed" before it begins, else "SECTORS / SECTORS".
    return _part(int(words[0]), int(words[2])) if len(words) == 3 else 0.0


def btrfs(place: str) -> float:
    """Per cent of a btrfs replacement that runs."""
    return btrfs_percent(run(["btrfs", "replace", "status", "-1", place]).stdout)


def btrfs_percent(said: str) -> float:
    """The same from what `btrfs replace status` says. Before the copy begins, that is about an
    earlier one, or none.
    """
    found = re.search(r"([\d.]+)% done", said)
    return min(float(found[1]), DONE - 1) if found else 0.0


def _part(done: int, all: int) -> float:
    """Never DONE: only the set itself says so."""
    return min(done * 100 / all, DONE - 1) if all else 0.0
