"""Links of a cluster: from what [cluster] says to this node's address on each of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from ipaddress import (
    IPv4Interface,
    IPv4Network,
    IPv6Interface,
    IPv6Network,
    ip_interface,
    ip_network,
)

from agent.core.command import run
from agent.node import REACHABLE
from agent.step import Retry, WaitForOperator

Interface = IPv4Interface | IPv6Interface
# The node's addresses, by the name of the interface.
Addresses = Mapping[str, Sequence[Interface]]


def network_of(place: str) -> IPv4Network | IPv6Network | None:
    """The network that a place names, of one address for an address; None for an interface."""
    try:
        return ip_network(place)
    except ValueError:
        return None


def addresses_at(place: str, addresses: Addresses) -> tuple[str, ...]:
    """The addresses that a place of `links` can mean, IPv4 before IPv6, without prefix.

    place: an address, a network, or the name of an interface.
    """
    network = network_of(place)
    if network is None:
        found = list(addresses.get(place, ()))
    else:
        found = [x for link in addresses.values() for x in link if x.ip in network]
    return tuple(str(x.ip) for x in sorted(found, key=lambda x: x.version))


def resolve(places: Sequence[str], addresses: Addresses) -> tuple[str, ...]:
    """This node's address on each link, in their order.

    Raises Retry where an address is missing, which may still come, and WaitForOperator where one
    place means several addresses, or two places the same.
    """
    chosen = []
    for place in places:
        found = addresses_at(place, addresses)
        if not found:
            raise Retry(
                f"the node has no address on the cluster's link {place}",
                hint="check the cable and the settings in Cockpit, nmtui or nmcli",
            )
        if network_of(place) and len(found) > 1:
            raise WaitForOperator(
                f"the node has several addresses in {place}: {', '.join(found)}",
                hint="name one of them in links of [cluster] in /etc/slipway/node.toml",
            )
        chosen.append(found[0])
    if len(set(chosen)) != len(chosen):
        raise WaitForOperator(
            f"two links of the cluster are the same: {', '.join(chosen)}",
            hint="correct links of [cluster] in /etc/slipway/node.toml",
        )
    return tuple(chosen)


def own_addresses() -> Addresses:
    """The addresses at which others reach this node, by interface. Raises CommandFailed."""
    links = json.loads(run(["ip", "-j", "address", "show"]).stdout)
    return {
        link["ifname"]: tuple(
            ip_interface(f"{entry['local']}/{entry['prefixlen']}")
            for entry in link.get("addr_info", [])
            if entry["scope"] in REACHABLE and not entry.get("tentative")
        )
        for link in links
    }
