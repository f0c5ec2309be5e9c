"""Fencing by watchdog: what this node has, how long it takes, and what each node must be told.

Every node runs sbd without a disk: it resets its own machine through the watchdog when it loses
the cluster, and the others wait until that must have happened. A hardware watchdog resets a
machine whose kernel hangs; softdog, which the kernel itself runs, does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agent.core.command import run
from agent.core.files import write_atomically
from agent.core.template import render
from agent.step import WaitForOperator

# The first watchdog of the kernel, hardware or not; what pcs and sbd take by default.
DEVICE = Path("/dev/watchdog")
CLASS = Path("/sys/class/watchdog")
SOFTDOG_IDENTITY = "Software Watchdog"
MODULES = Path("/etc/modules-load.d/slipway-watchdog.conf")
# From this many nodes on, messages take long enough to ask for more patience.
LARGE = 9


@dataclass(frozen=True)
class Watchdog:
    """What resets the node. identity: the driver's name for it; empty when it tells none."""

    identity: str
    hardware: bool

    def __str__(self) -> str:
        kind = "hardware" if self.hardware else "software"
        return f"{DEVICE} ({self.identity or 'unknown'}, {kind})"


@dataclass(frozen=True)
class Timeouts:
    """In seconds. watchdog: a node that does not feed its watchdog so long is reset;
    fencing: after so long the others take it for reset, Pacemaker's stonith-watchdog-timeout.
    """

    watchdog: int
    fencing: int


def timeouts(nodes: int) -> Timeouts:
    """For a cluster of so many nodes. fencing must be twice the watchdog's at least."""
    return Timeouts(15, 45) if nodes >= LARGE else Timeouts(10, 30)


def choose(identities: Iterable[str]) -> Watchdog | None:
    """The watchdog behind DEVICE, from the identities of all in the kernel's order."""
    first = next(iter(identities), None)
    return None if first is None else Watchdog(first, first != SOFTDOG_IDENTITY)


def present(folder: Path = CLASS) -> Watchdog | None:
    """The watchdog of this node, or None when it has none."""
    devices = sorted(folder.glob("watchdog[0-9]*"), key=lambda path: int(path.name[8:]))
    return choose(_identity(device) for device in devices)


def prepare(modules: Path = MODULES) -> Watchdog:
    """The node's watchdog; softdog is loaded, now and at every start, where there is no other.

    Raises WaitForOperator when there is none after that, CommandFailed when softdog does not load.
    """
    found = present()
    if found is None:
        run(["modprobe", "softdog"])
        found = present()
    if found is None:
        raise WaitForOperator(
            "the node has no watchdog, and the kernel offers none",
            hint="boot a kernel with the module softdog, or switch the machine's watchdog on",
        )
    if not found.hardware and not modules.exists():
        write_atomically(modules, render("agent/etc/modules-load.d/slipway-watchdog.conf"))
    return found


def warning(watchdog: Watchdog | None) -> str:
    """What a person should know about it; empty when it is as good as it can be."""
    if watchdog is None:
        return "the node has no watchdog: it cannot be fenced"
    if watchdog.hardware:
        return ""
    return (
        "fencing depends on softdog, which does not reset a machine whose kernel hangs: switch the "
        "machine's hardware watchdog on"
    )


def _identity(device: Path) -> str:
    try:
        return (device / "identity").read_text().strip()
    except OSError:
        return ""
