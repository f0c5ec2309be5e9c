"""What every node keeps about the other members: their names, its firewall, who gets copies.

corosync.conf is the list of members; pcs gives it to all of them at every change. systemd watches
the file (slipway-members.path) and has this node look again.
"""

from __future__ import annotations

import socket

from agent.cluster import configuration, firewall, hosts
from agent.cluster.guests import csync2
from agent.cluster.links import own_addresses
from agent.step import Retry
from agent.systemd import Systemd

UNIT = "slipway-members.path"


def refresh(systemd: Systemd | None = None) -> None:
    """Bring /etc/hosts, the firewall and csync2 to the members that there are now.

    Raises Retry while this node has not the addresses that the cluster knows it by, OSError,
    SlipwayError.
    """
    made = configuration.read()
    if made is None:
        return
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
        (systemd or Systemd()).restart(firewall.UNIT)
