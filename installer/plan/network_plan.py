"""The network part of the plan: what NetworkManager will be told, as data."""

from __future__ import annotations

from typing import Literal

from agent.core.errors import SlipwayError
from installer.inventory.model import Model

# "link-local" is for IPv6: the address that every link has, and no more.
Method = Literal["auto", "manual", "disabled", "link-local"]
ProfileType = Literal["ethernet", "bond", "vlan", "bridge"]


class NetworkError(SlipwayError):
    """What [network] asks for does not fit this machine, or does not fit together."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, where="[network]", hint=hint)


class IpConfig(Model):
    """One IP version of a profile. addresses carry their prefix; routes are keyfile text."""

    method: Method
    addresses: tuple[str, ...] = ()
    gateway: str = ""
    dns: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    never_default: bool = False


class Profile(Model):
    """One NetworkManager connection profile, a file in system-connections.

    id: its name, and its file's; interface: the link's name, empty where mac chooses the link;
    controller: the uuid of the profile that this one is a port of, port_type its type;
    vlan_parent: a link's name, or the uuid of its profile where mac chooses the link;
    cloned_mac: the hardware address that the link gets; vlans: "2-4094", what passes a port of a
    VLAN-aware bridge, or what the bridge itself receives besides untagged frames.
    ipv4 and ipv6 are None for ports.
    """

    id: str
    uuid: str
    type: ProfileType
    interface: str = ""
    mac: str = ""
    cloned_mac: str = ""
    mtu: int | None = None
    controller: str = ""
    port_type: str = ""
    bond: dict[str, str] = {}
    vlan_id: int | None = None
    vlan_parent: str = ""
    vlan_filtering: bool = False
    vlans: str = ""
    ipv4: IpConfig | None = None
    ipv6: IpConfig | None = None


class NamePin(Model):
    """One NIC's name on the node, by its hardware address."""

    mac: str
    name: str


class NetworkPlan(Model):
    """The node's name and network.

    management_nics: the names of the NICs below the management interface; addresses: of the
    interface, with prefix; in dynamic plans those of the lease that the installer saw, or none.
    dynamic: they may change while the node lives.
    """

    fqdn: str
    management_interface: str
    management_nics: tuple[str, ...] = ()
    addresses: tuple[str, ...]
    dynamic: bool
    profiles: tuple[Profile, ...]
    pins: tuple[NamePin, ...] = ()
    warnings: tuple[str, ...] = ()
    summary: str
