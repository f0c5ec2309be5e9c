"""Corosync and Pacemaker of this node: started, and whether it takes part in a cluster."""

from __future__ import annotations

from pathlib import Path

from agent.cluster.pcs import Pcsd
from agent.cluster.view import look
from agent.cluster.wait import wait_until
from agent.core.command import run
from agent.core.errors import SlipwayError
from agent.systemd import Systemd

COROSYNC_CONF = Path("/etc/corosync/corosync.conf")
UNITS = ("corosync.service", "pacemaker.service")
# One node alone waits 20 s (dc-deadtime) before it becomes the controller.
ONLINE_SECONDS = 240.0
# A node that was interrupted while it was being added: the others may not have been told of it,
# so after this it asks to be added again.
RESUME_SECONDS = 90.0


def configured(path: Path = COROSYNC_CONF) -> bool:
    """The node has been told of a cluster."""
    return path.exists()


def members_know(systemd: Systemd, path: Path = COROSYNC_CONF) -> bool:
    """All running members have been told of this node.

    pcs distributes the configuration, then has the running members read it, then enables the new
    node's units, then starts it. A node that starts earlier is heard by some members only: they
    form one membership after another, and nobody can change the CIB. Raises Retry.
    """
    return configured(path) and all(systemd.enabled(name) for name in UNITS)


def takes_part(name: str) -> bool:
    """This node is online in a quorate cluster that has a controller."""
    try:
        view = look(name, Pcsd())
    except SlipwayError:
        return False
    return view.quorate and view.leader is not None and name in view.online


def start_configured(name: str, systemd: Systemd, seconds: float = ONLINE_SECONDS) -> None:
    """Start the cluster's software of a configured node and wait until it takes part.

    Raises Retry.
    """
    systemd.bring_up(UNITS)
    wait_until(lambda: takes_part(name), seconds, f"{name} to take part in the cluster")


def cluster_name() -> str:
    """The cluster's name as corosync knows it, empty when it does not run."""
    argv = ["corosync-cmapctl", "-g", "totem.cluster_name"]
    result = run(argv, check=False, timeout=30)
    return result.stdout.partition("=")[2].strip() if result.status == 0 else ""
