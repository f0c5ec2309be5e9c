"""From links to NetworkManager connection profiles."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import NAMESPACE_DNS, uuid5

from installer.answers.links import BOND_OPTION_MODES, Bond, Bridge, Link, Vlan
from installer.plan.interfaces import Nic
from installer.plan.network_plan import IpConfig, Profile, ProfileType
from installer.plan.topology import Topology

# All VLANs but the untagged one, as the peer gives them to the ports of VLAN-aware bridges.
ALL_VLANS = "2-4094"
BOND_TIMES = ("miimon", "updelay", "downdelay")
TYPES: dict[type[Link], ProfileType] = {Bond: "bond", Vlan: "vlan", Bridge: "bridge"}
# No address at all, not even IPv6's own.
NO_ADDRESS = IpConfig(method="disabled")

Addressing = tuple[IpConfig, IpConfig]


def make_profiles(
    topology: Topology, fqdn: str, addressing: Mapping[str, Addressing]
) -> tuple[Profile, ...]:
    """One profile for each link and each NIC in use.

    addressing: IPv4 and IPv6 by name of the link; links that are missing have no addresses.
    The uuids depend on names alone, so the same answer gives the same files.
    """
    links = (_link(topology, link, fqdn, addressing) for link in topology.links.values())
    nics = (_nic(topology, nic, fqdn) for nic in topology.nics.values())
    return (*links, *nics)


def _link(
    topology: Topology, link: Link, fqdn: str, addressing: Mapping[str, Addressing]
) -> Profile:
    controller = topology.controller(link.name)
    ipv4, ipv6 = addressing.get(link.name, (NO_ADDRESS, NO_ADDRESS))
    return Profile(
        id=link.name,
        uuid=_uuid(link.name, fqdn),
        type=TYPES[type(link)],
        interface=link.name,
        cloned_mac=_mac(topology, link),
        mtu=topology.mtu(link.name),
        controller=_uuid(controller.name, fqdn) if controller else "",
        port_type=TYPES[type(controller)] if controller else "",
        bond=_bond_options(link) if isinstance(link, Bond) else {},
        vlan_id=link.id if isinstance(link, Vlan) else None,
        vlan_parent=_parent(topology, link, fqdn) if isinstance(link, Vlan) else "",
        vlan_filtering=isinstance(link, Bridge) and link.vlan_aware,
        vlans=_port_vlans(controller) or _received_vlans(topology, link),
        ipv4=None if controller else ipv4,
        ipv6=None if controller else ipv6,
    )


def _nic(topology: Topology, nic: Nic, fqdn: str) -> Profile:
    controller = topology.controller(nic.name)
    by_name = _has_sure_name(nic)
    return Profile(
        id=nic.name,
        uuid=_uuid(nic.name, fqdn),
        type="ethernet",
        interface=nic.name if by_name else "",
        mac="" if by_name else nic.hardware.mac.lower(),
        mtu=topology.mtu(nic.name),
        controller=_uuid(controller.name, fqdn) if controller else "",
        port_type=TYPES[type(controller)] if controller else "",
        vlans=_port_vlans(controller),
        ipv4=None if controller else NO_ADDRESS,
        ipv6=None if controller else NO_ADDRESS,
    )


def _has_sure_name(nic: Nic) -> bool:
    """Its hardware address tells a NIC better than a name that may change with the hardware."""
    return nic.pinned or not nic.unique_mac


def _parent(topology: Topology, vlan: Vlan, fqdn: str) -> str:
    (name,) = topology.lower[vlan.name]
    nic = topology.nics.get(name)
    return name if nic is None or _has_sure_name(nic) else _uuid(name, fqdn)


def _uuid(name: str, fqdn: str) -> str:
    return str(uuid5(NAMESPACE_DNS, f"{name}.{fqdn}"))


def _mac(topology: Topology, link: Link) -> str:
    """The first NIC's: udev would invent one, and DHCP servers would not know the machine."""
    nics = topology.nics_below(link.name)
    return nics[0].hardware.mac.lower() if nics and not isinstance(link, Vlan) else ""


def _port_vlans(controller: Link | None) -> str:
    return ALL_VLANS if isinstance(controller, Bridge) and controller.vlan_aware else ""


def _received_vlans(topology: Topology, link: Link) -> str:
    """A VLAN-aware bridge hands up only the VLANs that it is told to."""
    if not isinstance(link, Bridge) or not link.vlan_aware:
        return ""
    ids = {upper.id for upper in topology.upper(link.name) if isinstance(upper, Vlan)}
    return ",".join(map(str, sorted(ids)))


def _bond_options(bond: Bond) -> dict[str, str]:
    values = {name: getattr(bond, name) for name in (*BOND_TIMES, *BOND_OPTION_MODES)}
    options = {name: str(value) for name, value in values.items() if value is not None}
    return {"mode": bond.mode, **options}
