"""Whether the clock is synchronized, as systemd-timedated reads it from the kernel."""

from __future__ import annotations

from agent.step import Retry


def synchronized() -> bool:
    """The kernel's clock is steered by a time source. Raises Retry when nobody can tell."""
    import pydbus
    from gi.repository import GLib

    try:
        return bool(pydbus.SystemBus().get("org.freedesktop.timedate1").NTPSynchronized)
    except GLib.Error as error:
        raise Retry(f"the state of the clock cannot be read: {error.message}") from error
