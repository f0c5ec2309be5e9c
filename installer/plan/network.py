"""Planning the network: [network] and the machine's NICs and leases, to names and profiles."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_core import PydanticCustomError

from installer.answers.addresses import check_fqdn
from installer.answers.links import Bridge, InterfaceMatch, Link
from installer.answers.network import FqdnFromDhcp, Network, NetworkDhcp, NetworkFromAnswer
from installer.inventory.model import Inventory, Lease
from installer.plan.addressing import (
    Addresses,
    NoLease,
    addressing,
    lease_interfaces,
    link_addresses,
    management_addresses,
)
from installer.plan.interfaces import (
    Nic,
    listed,
    matching,
    name_nics,
    unknown_macs,
    with_properties,
)
from installer.plan.network_plan import NamePin, NetworkError, NetworkPlan
from installer.plan.profiles import make_profiles
from installer.plan.topology import Topology, stack


def plan_network(
    network: Network, fqdn_setting: str | FqdnFromDhcp, inventory: Inventory
) -> NetworkPlan:
    """Decide the management NIC, the node's name, its addresses and every link.

    Raises NetworkError, and NoLease where DHCP is to be the source and did not answer.
    """
    nics = name_nics(inventory.interfaces, network.interface_name_pinning)
    topology = stack(_all_links(network, nics, inventory.leases), nics)
    below = topology.nics_below(network.management_interface)
    leases = _leases(below, inventory.leases)
    fqdn = _fqdn(fqdn_setting, leases)
    if network.source == "from-dhcp" and not leases:
        raise NoLease(", ".join(nic.hardware.name for nic in below) or "any NIC")

    search = network.search or (fqdn.partition(".")[2],)
    management = management_addresses(network, leases, search)
    by_link = {link.name: link_addresses(link) for link in network.links}
    by_link[network.management_interface] = management
    _check_addresses(by_link)
    dynamic = isinstance(network, NetworkDhcp)
    known = (*management.interfaces, *(lease_interfaces(leases) if dynamic else ()))
    return NetworkPlan(
        fqdn=fqdn,
        management_interface=network.management_interface,
        management_nics=tuple(nic.name for nic in below),
        addresses=tuple(map(str, known)),
        dynamic=dynamic,
        profiles=make_profiles(
            topology, fqdn, {name: addressing(link) for name, link in by_link.items()}
        ),
        pins=tuple(NamePin(mac=n.hardware.mac.lower(), name=n.name) for n in nics if n.pinned),
        warnings=tuple(
            f"interface-name-pinning names {mac}, which no NIC of this machine has"
            for mac in unknown_macs(nics, network.interface_name_pinning)
        ),
        summary=_summary(fqdn, network.management_interface, topology, management),
    )


def _all_links(network: Network, nics: Sequence[Nic], leases: Sequence[Lease]) -> tuple[Link, ...]:
    """The links of the answer file, and the management bridge if it is not one of them."""
    name = network.management_interface
    if any(link.name == name for link in network.links):
        changed = {"mtu": network.mtu} if network.mtu else {}
        return tuple(x.model_copy(update=changed) if x.name == name else x for x in network.links)
    port = _management_port(network, nics, leases)
    return (Bridge(name=name, ports=(port,), mtu=network.mtu), *network.links)


def _management_port(network: Network, nics: Sequence[Nic], leases: Sequence[Lease]) -> str:
    if isinstance(network.interface, str):
        return network.interface
    if network.interface is None and network.filter is None:
        return _default_nic(network, nics, leases).name
    if isinstance(network.interface, InterfaceMatch):
        found = matching(nics, network.interface)
        if len(found) > 1:
            raise NetworkError(
                "interface matches several NICs, and one is wanted", hint=listed(found)
            )
    else:
        found = with_properties(nics, network.filter or {})
    if not found:
        key = "filter" if network.filter else "interface"
        raise NetworkError(f"no NIC matches {key}", hint=listed(nics))
    # Where DHCP is the source, a NIC with a lease comes before one without.
    usable = [nic for nic in found if _leases([nic], leases)]
    return (usable if usable and network.source == "from-dhcp" else found)[0].name


def _default_nic(network: Network, nics: Sequence[Nic], leases: Sequence[Lease]) -> Nic:
    """The NIC to take when the answer file names none: only where there is no doubt."""
    if not isinstance(network, NetworkFromAnswer):
        leased = [nic for nic in nics if _leases([nic], leases)]
        leading_out = [n for n in leased if any(x.gateway for x in _leases([n], leases))]
        if leased:
            return (leading_out or leased)[0]
    if network.source == "from-dhcp":
        raise NoLease("any NIC")
    up = [nic for nic in nics if nic.hardware.link_up]
    for candidates in (nics, up):
        if len(candidates) == 1:
            return candidates[0]
    raise NetworkError(
        "it is not clear which NIC is the management NIC",
        hint=f"say it with interface or filter; {listed(nics)}",
    )


def _leases(nics: Sequence[Nic], leases: Sequence[Lease]) -> list[Lease]:
    return [lease for nic in nics for lease in leases if lease.interface == nic.hardware.name]


def _fqdn(setting: str | FqdnFromDhcp, leases: Sequence[Lease]) -> str:
    if isinstance(setting, str):
        return setting
    lease = next((lease for lease in leases if lease.hostname), None)
    if lease is None:
        raise NetworkError(
            "the DHCP server gave no host name (option 12)",
            hint="set global.fqdn, or a host name for this machine in the DHCP server",
        )
    host, _, rest = lease.hostname.rstrip(".").partition(".")
    # The lease may name several domains, as search lists do.
    domain = setting.domain or next(iter(lease.domain.split()), "") or rest
    if not domain:
        raise NetworkError(
            "the DHCP server gave a host name and no domain", hint="set global.fqdn.domain"
        )
    try:
        return check_fqdn(f"{host}.{domain}")
    except PydanticCustomError as error:
        raise NetworkError(
            f"the DHCP server gave the name {host}.{domain!r}; expected {error}"
        ) from error


def _check_addresses(by_link: dict[str, Addresses]) -> None:
    owners: dict[object, str] = {}
    for name, link in by_link.items():
        for interface in link.interfaces:
            if interface.ip in owners:
                raise NetworkError(
                    f"{interface.ip} is given twice, to {owners[interface.ip]} and to {name}"
                )
            owners[interface.ip] = name


def _summary(fqdn: str, name: str, topology: Topology, management: Addresses) -> str:
    nics = ", ".join(nic.name for nic in topology.nics_below(name)) or "no NIC"
    addresses = [str(interface) for interface in management.interfaces]
    words = (*addresses, *(("DHCP",) if management.automatic else ()))
    return f"{fqdn}: {', '.join(words)} on {name} ({nics})"
