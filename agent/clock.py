"""Whether the clock is synchronized, as systemd-timedated reads it from the kernel."""

from __future__ import annotations

from agent.bus import GetBus, calls, system_bus

SERVICE = "org.freedesktop.timedate1"


def synchronized(bus: GetBus = system_bus) -> bool:
    """The kernel's clock is steered by a time source. Raises Retry when nobody can tell."""
    with calls(SERVICE):
        return bool(bus().get(SERVICE).NTPSynchronized)
