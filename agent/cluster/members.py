"""What every node keeps about the other members: their names, its firewall, who gets copies.

corosync.conf is the list of members; pcs gives it to all of them at every change. systemd watches
the file (slipway-members.path) and has this node look again.
"""

from __future__ import annotations

import socket

from agent.cluster import configuration, firewall, hosts
from agent.cluster.configuration import Configuration
from agent.cluster.guests import csync2
from agent.cluster.links import own_addresses
from agent.step import Retry
from agent.systemd import Systemd

UNIT = "slipway-members.path"
LOOKS = 20


def refresh(systemd: Systemd | None = None) -> None:
    """Bring /etc/hosts, the firewall and csync2 to the members that there are now.

    It looks again until nothing has changed meanwhile, as systemd does not see what changes while
    the service runs. Raises Retry while this node has not the addresses that the cluster knows it
    by, OSError, SlipwayError.
    """
    made = configuration.read()
    for _ in range(LOOKS):
        if made is None:
            return
        _take_over(made, systemd or Systemd())
        before, made = made, configuration.read()
        if made == before:
            return
    raise Retry("the cluster's members change all the time")


def _take_over(made: Configuration, systemd: Systemd) -> None:
    own = socket.gethostname()
    members = {node.name: node.addresses for node in made.nodes}
    hosts.update(members, own)
    csync2.configure(members, own)
    ours, addresses = members.get(own, ()), own_addresses()
    known = {str(x.ip) for link in addresses.values() for x in link}
    if not ours or not known.issuperset(ours):
        raise Retry(f"the node does not have its addresses in the cluster: {', '.join(ours)}")
    everyone = [address for node in members.values() for address in node]
    if firewall.update(firewall.networks(ours, addresses, everyone)):
        systemd.restart(firewall.UNIT)
