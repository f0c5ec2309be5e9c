"""systemd's units of a member, started in this order when the node has created or joined."""

from __future__ import annotations

from agent.cluster import firewall, members, tunnel
from agent.systemd import Systemd

PCSD = "pcsd.service"
ENDPOINT = "slipway-enrolment.service"
# What pcs needs on a node before it is a member.
TRANSPORT = (tunnel.UNIT, PCSD)
# What a member runs for others and because of them.
SERVICES = (
    firewall.UNIT,
    members.UNIT,
    "slipway-member.socket",
    "slipway-signer.socket",
    ENDPOINT,
    "slipway-template-server.service",
    "slipway-certificates.path",
    "slipway-certificates.timer",
    "csync2.socket",
    "slipway-guests.path",
    "slipway-guests.timer",
)


def start(systemd: Systemd, names: tuple[str, ...]) -> None:
    """Enable and start units, and wait for them. Raises Retry."""
    systemd.bring_up(names)
    systemd.prove(names)
