"""Clearing where labels lie: both ends of a device, or of a range of it."""

from __future__ import annotations

from agent.core.command import run

# Every label lies within this distance of a device's start or end: partition tables, LVM, md, ZFS
# and LUKS with its second header.
END_BYTES = 16 * 2**20


def zero_ends(device: str, start_bytes: int, size_bytes: int) -> None:
    """Zero the first and the last END_BYTES of a range of the device, or all of a short one.

    libblkid's own way (wipefs) takes the signatures away that it knows, and leaves the rest of a
    label: ZFS still reads one from that. Raises CommandFailed for a device that is in use.
    """
    if size_bytes <= 2 * END_BYTES:
        _zero(device, start_bytes, size_bytes)
        return
    _zero(device, start_bytes, END_BYTES)
    _zero(device, start_bytes + size_bytes - END_BYTES, END_BYTES)


def _zero(device: str, offset: int, length: int) -> None:
    # Opens the device exclusively: what is mounted or held by another driver is refused.
    run(["blkdiscard", "--zeroout", f"--offset={offset}", f"--length={length}", device])
