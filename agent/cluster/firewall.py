"""The firewall around the cluster's ports: only the cluster's networks reach them.

The rules are a table of Slipway's own, replaced as a whole; tables of others are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from pathlib import Path

from agent.cluster.links import Addresses
from agent.cluster.names import ENROLMENT_PORT
from agent.core.files import write_atomically
from agent.core.template import render

PATH = Path("/etc/slipway/cluster.nft")
UNIT = "slipway-firewall.service"
# Corosync's knet has a port for each of its eight links.
COROSYNC = "5405-5412"
# pcsd and csync2 inside the tunnel, enrolment, libvirt over TLS, and QEMU's live migration.
TCP = ("2224", str(ENROLMENT_PORT), "2227", "2228", "16514", "30865", "49152-49215")


def networks(
    own: Iterable[str], addresses: Addresses, members: Iterable[str]
) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks that reach the cluster's ports.

    own: this node's addresses on the links; addresses: all of this node, with their prefixes;
    members: addresses of all members, of which one may be behind a router.
    """
    ours = set(own)
    direct = [x.network for link in addresses.values() for x in link if str(x.ip) in ours]
    everyone = [*direct, *(ip_network(member) for member in members)]
    v4 = collapse_addresses(x for x in everyone if isinstance(x, IPv4Network))
    v6 = collapse_addresses(x for x in everyone if isinstance(x, IPv6Network))
    return (*v4, *v6)


def text(allowed: Sequence[IPv4Network | IPv6Network]) -> str:
    """The rules as nft reads them."""
    return render(
        "agent/etc/slipway/cluster.nft",
        corosync=COROSYNC,
        tcp=TCP,
        ipv4=[str(x) for x in allowed if x.version == 4],
        ipv6=[str(x) for x in allowed if x.version == 6],
    )


def update(allowed: Sequence[IPv4Network | IPv6Network], path: Path = PATH) -> bool:
    """Write the rules. Says whether they changed. Raises OSError."""
    after = text(allowed)
    if path.exists() and path.read_text() == after:
        return False
    write_atomically(path, after)
    return True
