"""How full the storages of this node are."""

from __future__ import annotations

import os
from dataclasses import dataclass

from agent import hypervisor
from agent.hypervisor import Pool
from agent.storages import registry
from agent.storages.model import where


@dataclass(frozen=True)
class Fill:
    """A storage. kind: as declared, or libvirt's; used_bytes of capacity_bytes: both 0 while it is
    not in use.
    """

    name: str
    kind: str
    in_use: bool
    where: str
    capacity_bytes: int
    used_bytes: int


def look() -> tuple[Fill, ...]:
    """Every pool and every declared storage, by name. Raises Retry, OSError, SlipwayError."""
    declared = registry.load()
    pools = {pool.name: pool for pool in hypervisor.pools_in_full()}
    found = []
    for name in sorted({*declared, *pools}):
        storage, pool = declared.get(name), pools.get(name)
        kind = storage.kind if storage else pool.kind if pool else ""
        place = where(storage) if storage else pool.path if pool else ""
        capacity, used = sizes(pool) if pool and pool.active else (0, 0)
        found.append(Fill(name, kind, bool(pool and pool.active), place, capacity, used))
    return tuple(found)


def sizes(pool: Pool) -> tuple[int, int]:
    """Capacity and what is used of it, bytes. libvirt counts files only when it is told to look
    anew, so their file system is asked.
    """
    if not pool.path:
        return pool.capacity_bytes, pool.capacity_bytes - pool.available_bytes
    found = os.statvfs(pool.path)
    return found.f_blocks * found.f_frsize, (found.f_blocks - found.f_bfree) * found.f_frsize
