"""How the links of [network] stack on each other and on the machine's NICs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from installer.answers.links import Bond, Bridge, InterfaceMatch, Link, LinkChoice, Vlan
from installer.plan.interfaces import Nic, listed, matching, named
from installer.plan.network_plan import NetworkError

# The kernel stacks no more links than this (MAX_NEST_DEV in include/linux/netdevice.h).
DEEPEST = 8
ETHERNET_MTU = 1500


@dataclass(frozen=True)
class Topology:
    """The links by name, what each of them stands on, and the NICs in use by name.

    lower: the ports of a bond or bridge, the one link below a VLAN.
    """

    links: Mapping[str, Link]
    lower: Mapping[str, tuple[str, ...]]
    nics: Mapping[str, Nic]

    def upper(self, name: str) -> tuple[Link, ...]:
        """The links that stand on this one."""
        return tuple(link for link in self.links.values() if name in self.lower[link.name])

    def controller(self, name: str) -> Bond | Bridge | None:
        """The bond or bridge that the link is a port of."""
        return next((link for link in self.upper(name) if isinstance(link, (Bond, Bridge))), None)

    def nics_below(self, name: str) -> list[Nic]:
        """The NICs that carry the link, the one whose hardware address it has first."""
        if name in self.nics:
            return [self.nics[name]]
        return [nic for lower in self.lower[name] for nic in self.nics_below(lower)]

    def mtu(self, name: str) -> int | None:
        """The MTU in bytes: as asked, else what the links above need, None for Ethernet's own."""
        link = self.links.get(name)
        needed = self.mtu_above(name)
        return (link.mtu if link else None) or (needed if needed > ETHERNET_MTU else None)

    def mtu_above(self, name: str) -> int:
        """The largest MTU that was asked for on this link, 0 for none."""
        return max((self.mtu(upper.name) or 0 for upper in self.upper(name)), default=0)


def stack(links: Iterable[Link], nics: Sequence[Nic]) -> Topology:
    """Resolve every choice of links and NICs.

    Raises NetworkError when a choice finds nothing, or links do not fit together.
    """
    by_name = {link.name: link for link in links}
    for nic in nics:
        if nic.name in by_name:
            raise NetworkError(f"{nic.name} is the name of a NIC and of a link")
    lower = {
        link.name: tuple(
            name for choice in _choices(link) for name in _chosen(choice, link, by_name, nics)
        )
        for link in by_name.values()
    }
    in_use = {name for names in lower.values() for name in names}
    topology = Topology(by_name, lower, {nic.name: nic for nic in nics if nic.name in in_use})
    for name in by_name:
        _check_circle(topology, name, ())
    for name in (*by_name, *topology.nics):
        _check_port(topology, name)
    for link in by_name.values():
        _check_link(topology, link)
    return topology


def _choices(link: Link) -> tuple[LinkChoice, ...]:
    match link:
        case Bond():
            return link.interfaces
        case Bridge():
            return link.ports
        case Vlan():
            return (link.interface,)
    return ()


def _chosen(
    choice: LinkChoice, link: Link, links: Mapping[str, Link], nics: Sequence[Nic]
) -> list[str]:
    if isinstance(choice, InterfaceMatch):
        found = matching(nics, choice)
        if not found:
            raise NetworkError(f"no NIC matches what {link.name} asks for", hint=listed(nics))
        return [nic.name for nic in found]
    if choice in links:
        return [choice]
    nic = named(nics, choice)
    if nic is None:
        raise NetworkError(f"there is no {choice} for {link.name}", hint=listed(nics))
    return [nic.name]


def _check_circle(topology: Topology, name: str, path: tuple[str, ...]) -> None:
    if len(path) > DEEPEST:
        raise NetworkError(f"{path[0]} stands on more than {DEEPEST} links")
    if name in path:
        raise NetworkError(f"links stand on each other in a circle: {' on '.join((*path, name))}")
    for lower in topology.lower.get(name, ()):
        _check_circle(topology, lower, (*path, name))


def _check_port(topology: Topology, name: str) -> None:
    users = [
        link.name
        for link in topology.links.values()
        for lower in topology.lower[link.name]
        if lower == name and not isinstance(link, Vlan)
    ]
    if len(users) > 1:
        raise NetworkError(f"{name} cannot be a port twice: of {' and of '.join(users)}")
    link = topology.links.get(name)
    if not users or link is None:
        return
    if isinstance(link, Bridge) or isinstance(topology.links[users[0]], Bond):
        raise NetworkError(f"{name} cannot be a port of {users[0]}")
    if link.cidr or link.dhcp or link.routes:
        raise NetworkError(
            f"{name} is a port of {users[0]} and cannot have addresses or routes",
            hint=f"give them to {users[0]}",
        )


def _check_link(topology: Topology, link: Link) -> None:
    if isinstance(link, Bridge) and link.kind == "openvswitch":
        raise NetworkError(f"{link.name} cannot be made: the node has no Open vSwitch")
    needed = topology.mtu_above(link.name)
    if link.mtu and needed > link.mtu:
        raise NetworkError(f"{link.name} has MTU {link.mtu}, but a link on it has {needed}")
    if isinstance(link, Bond) and link.primary and link.primary not in topology.lower[link.name]:
        raise NetworkError(f"{link.primary} is not one of the NICs of {link.name}")
