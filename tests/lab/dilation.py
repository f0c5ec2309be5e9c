"""Time that passes slower in a machine than around it, so that its processors seem faster.

Emulation is an order of magnitude slower than a processor, and machines that share a host's
processors are slower still; the limits of corosync, SBD and Pacemaker are seconds all the same.
libfaketime slows down the host's clocks as QEMU sees them, and all clocks and timers that it gives
to a machine follow. This is time dilation: Gupta et al., "To Infinity and Beyond: Time-Warped
Network Emulation", NSDI 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


@dataclass(frozen=True)
class Dilation:
    """factor: seconds around a machine for one second in it; since: when both had the same time.

    Machines that talk to each other share both.
    """

    factor: int
    since: datetime

    def inside(self, now: datetime) -> datetime:
        """The time in a machine when it is `now` around it."""
        return self.since + (now - self.since) / self.factor


def dilated(argv: Sequence[str], dilation: Dilation | None, now: datetime) -> list[str]:
    """The command that runs QEMU in such a time, or as it is without one.

    Only machines that are emulated follow it.
    """
    if dilation is None:
        return list(argv)
    inside = dilation.inside(now).strftime("%Y-%m-%d %H:%M:%S")
    clock = f"FAKETIME=@{inside} x{1 / dilation.factor}"
    return ["env", f"LD_PRELOAD={LIBRARY}", "TZ=UTC", clock, *argv]
