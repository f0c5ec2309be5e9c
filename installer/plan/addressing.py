"""Addresses, gateways, name servers and routes of a link, for both IP versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from installer.answers.addresses import Address, Interface, parse_address, parse_interface
from installer.answers.links import Link, Route
from installer.answers.network import NetworkDhcp, NetworkFromAnswer, NetworkTable
from installer.inventory.model import Lease
from installer.plan.network_plan import IpConfig, Method, NetworkError
from installer.plan.profiles import Addressing

VERSIONS = (4, 6)


@dataclass(frozen=True)
class Addresses:
    """What a link gets. automatic: IP versions without addresses use DHCP and advertisements.

    default_route: take one from DHCP and advertisements; link_local: keep IPv6's own address.
    """

    interfaces: tuple[Interface, ...]
    automatic: bool
    routes: tuple[Route, ...] = ()
    gateways: tuple[Address, ...] = ()
    dns: tuple[Address, ...] = ()
    search: tuple[str, ...] = ()
    default_route: bool = True
    link_local: bool = True


class NoLease(NetworkError):
    """The network is to be set up from DHCP, and no DHCP server answered."""

    def __init__(self, interfaces: str) -> None:
        super().__init__(
            f"no DHCP server answered on {interfaces}",
            hint='check cable and DHCP server, or use source = "from-answer"',
        )


def management_addresses(
    network: NetworkTable, leases: Sequence[Lease], search: tuple[str, ...]
) -> Addresses:
    """The addresses that [network] gives the management link.

    leases: those of the NICs below it. Raises NetworkError for a lease that cannot be read and
    for a gateway or name server that cannot be reached.
    """
    if isinstance(network, (NetworkFromAnswer, NetworkDhcp)):
        found = Addresses(
            interfaces=network.cidr,
            automatic=isinstance(network, NetworkDhcp),
            routes=network.routes,
            gateways=network.gateway,
            dns=network.dns,
            search=search,
        )
        for gateway in found.gateways:
            _check_gateway(gateway, found.interfaces)
        _check_dns(found)
        return found
    with _readable_lease():
        # Leases of one NIC, or of several NICs of a bond: the same server may be named often.
        return Addresses(
            interfaces=lease_interfaces(leases),
            automatic=False,
            routes=network.routes,
            gateways=_first_of_each_version(parse_address(x.gateway) for x in leases if x.gateway),
            dns=tuple(dict.fromkeys(parse_address(text) for x in leases for text in x.dns)),
            search=search,
        )


def link_addresses(link: Link) -> Addresses:
    """The addresses of a link that is not the management link. It is never the default route."""
    return Addresses(
        interfaces=link.cidr,
        automatic=link.dhcp,
        routes=link.routes,
        default_route=False,
        link_local=bool(link.cidr),
    )


def addressing(addresses: Addresses) -> Addressing:
    """IPv4 and IPv6 configuration. Raises NetworkError for a route that cannot be used."""
    ipv4, ipv6 = (_version(addresses, version) for version in VERSIONS)
    return ipv4, ipv6


def lease_interfaces(leases: Sequence[Lease]) -> tuple[Interface, ...]:
    """The addresses of leases, each once. Raises NetworkError."""
    with _readable_lease():
        return tuple(dict.fromkeys(parse_interface(lease.address) for lease in leases))


@contextmanager
def _readable_lease() -> Iterator[None]:
    try:
        yield
    except PydanticCustomError as error:
        raise NetworkError(f"the DHCP lease cannot be used: it needs {error}") from error


def _version(addresses: Addresses, version: int) -> IpConfig:
    interfaces = [x for x in addresses.interfaces if x.version == version]
    routes = [route for route in addresses.routes if route.to.version == version]
    method = _method(addresses, version)
    if method in ("disabled", "link-local"):
        if routes:
            raise NetworkError(f"the route to {routes[0].to} needs an IPv{version} address")
        return IpConfig(method=method)
    return IpConfig(
        method=method,
        addresses=tuple(map(str, interfaces)),
        gateway=next((str(x) for x in addresses.gateways if x.version == version), ""),
        dns=tuple(str(x) for x in addresses.dns if x.version == version),
        search=addresses.search,
        routes=tuple(map(route_text, routes)),
        never_default=method == "auto" and not addresses.default_route,
    )


def _method(addresses: Addresses, version: int) -> Method:
    if any(interface.version == version for interface in addresses.interfaces):
        return "manual"
    if addresses.automatic:
        return "auto"
    return "link-local" if version == 6 and addresses.link_local else "disabled"


def route_text(route: Route) -> str:
    """A route as a keyfile has it: destination, gateway, metric; trailing parts left out."""
    parts = [str(route.to)]
    if route.via or route.metric is not None:
        parts.append(str(route.via or ("0.0.0.0" if route.to.version == 4 else "::")))
    if route.metric is not None:
        parts.append(str(route.metric))
    return ",".join(parts)


def _first_of_each_version(addresses: Iterable[Address]) -> tuple[Address, ...]:
    first: dict[int, Address] = {}
    for address in addresses:
        first.setdefault(address.version, address)
    return tuple(first.values())


def _check_gateway(gateway: Address, interfaces: Sequence[Interface]) -> None:
    if any(interface.ip == gateway for interface in interfaces):
        raise NetworkError(f"the gateway {gateway} is the node's own address")
    if gateway.version == 6 and gateway.is_link_local:
        return
    networks = [x.network for x in interfaces if x.version == gateway.version]
    if not any(gateway in network for network in networks):
        raise NetworkError(
            f"the gateway {gateway} is not in a network of the node",
            hint=f"the node is in {', '.join(map(str, networks))}" if networks else None,
        )


def _check_dns(addresses: Addresses) -> None:
    versions = {interface.version for interface in addresses.interfaces}
    for server in addresses.dns:
        if server.version not in versions and not addresses.automatic:
            raise NetworkError(
                f"the name server {server} cannot be reached: "
                f"the node has no IPv{server.version} address"
            )
