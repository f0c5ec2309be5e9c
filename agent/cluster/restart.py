"""Corosync and Pacemaker of all members, stopped and started again: when they may be, and how.

Guests outside of Pacemaker keep running meanwhile. What runs under Pacemaker would stop.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.cluster import monitor
from agent.cluster.wait import wait_until
from agent.core.commands import command
from agent.step import Retry, WaitForOperator

# Seconds; a node on its own elects itself after 20 s, an emulated one takes three times as long.
START_SECONDS = 300
# For one command of pcs that reaches all members.
SECONDS = 600
START = command("pcs", "cluster", "start", "--all")
STOP = command("pcs", "cluster", "stop", "--all", undo=START.argv)


def check(*, quorate: bool, offline: Sequence[str], resources: Sequence[str]) -> None:
    """Raises Retry while not everybody is there, WaitForOperator while Pacemaker runs something."""
    if offline or not quorate:
        raise Retry(
            "all members must change at once, and these are not there: "
            + (", ".join(offline) or "a quorum"),
            hint="start them, or remove them with: slipway cluster remove NODE",
        )
    if resources:
        raise WaitForOperator(
            "the cluster's daemons must be restarted, and these run under Pacemaker: "
            + ", ".join(resources),
            hint="stop them with pcs resource disable, and try again",
        )


def wait_until_online() -> None:
    """Wait until all members take part again. Raises Retry.

    pcs would ask the pcsd of each of them again and again, which starts Python for every answer.
    """
    wait_until(_all_online, START_SECONDS, "all members to be online again")


def _all_online() -> bool:
    view = monitor.look()
    return view is not None and view.quorate and len(view.online) == len(view.nodes)
