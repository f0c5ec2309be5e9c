"""How much memory ZFS may use as a cache."""

from __future__ import annotations

MIB = 2**20
MINIMUM_ARC_MIB = 64
MAXIMUM_DEFAULT_ARC_MIB = 16 * 1024
# Left to the rest of the system when the answer asks for too much.
RESERVED_MIB = 1024


def arc_max_bytes(memory_mib: int, asked_mib: int | None) -> int:
    """The value of zfs_arc_max; 0 leaves it to ZFS.

    Without a wish a tenth of the memory, 64 MiB to 16 GiB, as the Proxmox installer has it.
    """
    if asked_mib == 0:
        return 0
    if asked_mib is None:
        limit = min(round(memory_mib / 10), MAXIMUM_DEFAULT_ARC_MIB)
    else:
        limit = min(asked_mib, memory_mib - RESERVED_MIB)
    return max(limit, MINIMUM_ARC_MIB) * MIB
