"""How the LVM layout shares its space: the Proxmox installer's arithmetic, in KiB.

The same disk, memory and options give the same sizes as there. One difference: a swap size that
is not a multiple of LVM's extent is rounded up here, as LVM itself does at creation, so that
the plan says what the node will have.
"""

from __future__ import annotations

from dataclasses import dataclass

from installer.answers.disks import LvmOptions

# LVM's default extent, and the step in which sizes are rounded.
EXTENT_KIB = 4 * 1024
GIB = 2**20
DEFAULT_MAXIMUM_ROOT = 96 * GIB
# A thin pool at or below this size is not worth its metadata.
MINIMUM_POOL = 4 * GIB
MINIMUM_METADATA = 1 * GIB
MAXIMUM_METADATA = 16 * GIB


@dataclass(frozen=True)
class ThinPoolSize:
    """KiB of a thin pool's data, and of its metadata, which LVM keeps a spare of."""

    data_kib: int
    metadata_kib: int


@dataclass(frozen=True)
class LvmSizes:
    """KiB of each volume. swap_kib is 0 for none; pool is None where too little is left."""

    swap_kib: int
    root_kib: int
    pool: ThinPoolSize | None


def lvm_sizes(space_kib: int, memory_mib: int, options: LvmOptions) -> LvmSizes:
    """Share space_kib (system_size_kib of the disk) among swap, root and the thin pool.

    root_kib is zero or less when the options leave nothing for it.
    """
    if options.swapsize is None:
        swap = default_swap_kib(space_kib, memory_mib)
    else:
        swap = _round_up(_kib(options.swapsize))
    root = _round_down(min(_root_share_kib(space_kib - swap), _maximum_root(options)))
    rest = space_kib - swap - root
    rest = _round_down(rest - _free_kib(space_kib, rest, options))
    if options.maxvz is not None:
        rest = min(rest, _kib(options.maxvz))
    return LvmSizes(swap, root, thin_pool_size(rest))


def default_swap_kib(space_kib: int, memory_mib: int) -> int:
    """Swap for this much memory: as large as it, within limits that the disk sets."""
    disk_gib = space_kib // GIB
    swap_mib = memory_mib
    if swap_mib < 4096 and disk_gib >= 64:
        swap_mib = 4096
    if swap_mib < 2048 and disk_gib >= 32:
        swap_mib = 2048
    if swap_mib >= 2048 and disk_gib <= 16:
        swap_mib = 1024
    swap_mib = min(max(swap_mib, 512), disk_gib * 128, 8192)
    return _round_down(swap_mib * 1024)


def thin_pool_size(space_kib: int) -> ThinPoolSize | None:
    """Divide space_kib into a pool's data and its metadata; None when it is not worth it."""
    if space_kib <= MINIMUM_POOL:
        return None
    metadata = min(max(space_kib // 100, MINIMUM_METADATA), MAXIMUM_METADATA)
    metadata = _round_down(metadata)
    return ThinPoolSize(space_kib - 2 * metadata - EXTENT_KIB, metadata)


def _root_share_kib(space_kib: int) -> int:
    """The root's share of what swap leaves: all of little, half of more, a quarter of much."""
    space_mib = space_kib // 1024
    if space_mib < 12 * 1024:
        return (space_mib - 4) // 4 * 4 * 1024
    if space_mib < 48 * 1024:
        return space_mib // 2 // 4 * 4 * 1024
    return space_mib * 256 + 12 * GIB


def _maximum_root(options: LvmOptions) -> int:
    return _kib(options.maxroot) if options.maxroot else DEFAULT_MAXIMUM_ROOT


def _free_kib(space_kib: int, rest_kib: int, options: LvmOptions) -> int:
    """What stays free in the volume group; a minfree that does not fit counts as not given."""
    if options.minfree is not None and _kib(options.minfree) < rest_kib:
        return _kib(options.minfree)
    disk_gib = space_kib // GIB
    if disk_gib <= 32:
        return EXTENT_KIB
    return 16 * GIB if disk_gib > 128 else disk_gib * GIB // 8


def _kib(gib: float) -> int:
    return int(gib * GIB)


def _round_down(kib: int) -> int:
    return kib // EXTENT_KIB * EXTENT_KIB


def _round_up(kib: int) -> int:
    return -(-kib // EXTENT_KIB) * EXTENT_KIB
