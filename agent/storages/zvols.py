"""Thin volumes of ZFS: the mark by which udev's rule 90-slipway-zvol.rules knows them.

libvirt makes a volume thin only when it is asked for a volume without allocation. virt-install
asks so, Cockpit does not.
"""

from __future__ import annotations

from agent.core.command import run

PROPERTY = "slipway:thin"


def are_thin(dataset: str) -> bool:
    """Whether volumes below the dataset are made thin. Raises ToolMissing."""
    asked = ["zfs", "get", "-H", "-o", "value", PROPERTY, dataset]
    return run(asked, check=False).stdout.strip() == "on"


def make_thin(dataset: str) -> None:
    """From now on volumes below the dataset are thin; slipway:thin=off excepts one of them."""
    run(["zfs", "set", f"{PROPERTY}=on", dataset])
