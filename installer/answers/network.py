"""The [network] table of the answer file, and the node's name as far as the network gives it.

The peer's keys are `source`, `cidr`, `dns`, `gateway`, `filter` and `interface-name-pinning`;
they mean what they mean there. The rest is ours.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, field_validator, model_validator

from installer.answers.addresses import (
    Domain,
    Domains,
    HostAddress,
    HostAddresses,
    HostInterface,
    HostInterfaces,
    LinkName,
    MacAddress,
    Mtu,
)
from installer.answers.links import MOST, Bond, Bridge, Link, LinkChoice, Pattern, Routes, Vlan
from installer.answers.table import Table, conflict, refuse

# What the management address is on unless the answer file says otherwise.
MANAGEMENT_BRIDGE = "vmbr0"


def _at_least_two(name: str) -> str:
    if len(name) < 2:
        raise refuse("a name of 2 to 15 characters")
    return name


def _one_for_each_version(gateway: tuple[HostAddress, ...]) -> tuple[HostAddress, ...]:
    if len({address.version for address in gateway}) < len(gateway):
        raise refuse("at most one gateway for IPv4 and one for IPv6")
    return gateway


Gateways = Annotated[HostAddresses, AfterValidator(_one_for_each_version)]


class FqdnFromDhcp(Table):
    """The host name of the lease (option 12). `domain` wins over the lease's domain."""

    source: Literal["from-dhcp"] = Field(description="Where the host name comes from")
    domain: Domain | Literal[""] = Field(
        "", description="Domain of the node; default: the one in the lease"
    )


class InterfaceNamePinning(Table):
    """Names of NICs by hardware address. NICs that are not in the mapping become nic0, nic1 …"""

    enabled: StrictBool = Field(description="Pin the names of all NICs")
    mapping: dict[MacAddress, Annotated[LinkName, AfterValidator(_at_least_two)]] = Field(
        {}, description="Hardware address to name"
    )

    @field_validator("mapping")
    @classmethod
    def _unique(cls, mapping: dict[str, str]) -> dict[str, str]:
        for name, count in Counter(mapping.values()).items():
            if count > 1:
                raise conflict(f"{name} is given to {count} NICs")
        return mapping


class NetworkTable(Table):
    """What all sources of addresses have in common."""

    filter: dict[str, Pattern] | None = Field(
        None,
        min_length=1,
        description="Udev property to glob: the management NIC is the first NIC, in the order of "
        "names, that matches any one entry",
    )
    interface: LinkChoice | None = Field(
        None,
        description="The one link below the management bridge: a NIC, bond or VLAN by name, or a "
        "NIC by what it is",
    )
    interface_name_pinning: InterfaceNamePinning | None = Field(
        None, description="Names of NICs that do not change when hardware is added"
    )
    management_interface: LinkName = Field(
        MANAGEMENT_BRIDGE,
        description="The link that has the node's address. A bridge of this name is made, unless "
        "`bonds`, `vlans` or `bridges` has the link",
    )
    search: Domains = Field((), description="DNS search domains; default: the node's domain")
    mtu: Mtu | None = Field(None, description="Largest packet in bytes on the management link")
    routes: Routes = Field((), description="Static routes of the management link")
    bonds: tuple[Bond, ...] = Field((), max_length=MOST, description="Several NICs as one link")
    vlans: tuple[Vlan, ...] = Field((), max_length=MOST, description="Tagged networks")
    bridges: tuple[Bridge, ...] = Field(
        (), max_length=MOST, description="Bridges that guests are connected to"
    )

    @property
    def links(self) -> tuple[Link, ...]:
        """Every link that the answer file makes, in its order."""
        return (*self.bonds, *self.vlans, *self.bridges)

    @model_validator(mode="after")
    def _links_fit_together(self) -> Self:
        for name, count in Counter(link.name for link in self.links).items():
            if count > 1:
                raise conflict(f"{count} links are named {name}")
        management = next((x for x in self.links if x.name == self.management_interface), None)
        if self.filter and self.interface:
            raise conflict("give filter or interface, not both")
        if management and (self.filter or self.interface):
            raise conflict(
                f"{management.name} has its own table, which says what it is made of: "
                "remove filter and interface"
            )
        if management and (management.cidr or management.dhcp or management.routes):
            raise conflict(f"addresses and routes of {management.name} belong in [network] itself")
        if management and management.mtu and self.mtu:
            raise conflict(f"give the MTU of {management.name} once")
        return self


class NetworkFromDhcp(NetworkTable):
    """The lease that the installer got, written as static configuration."""

    source: Literal["from-dhcp"] = Field(description="Where the addresses come from")


class NetworkFromAnswer(NetworkTable):
    """Static addresses."""

    source: Literal["from-answer"] = Field(description="Where the addresses come from")
    cidr: HostInterfaces = Field(description="Addresses of the node with prefix length")
    dns: HostAddresses = Field(description="Name servers; `[]` for none")
    gateway: Gateways = Field(description="Default router, one for each IP version; `[]` for none")

    @field_validator("cidr")
    @classmethod
    def _at_least_one(cls, cidr: tuple[HostInterface, ...]) -> tuple[HostInterface, ...]:
        if not cidr:
            raise refuse("at least one address")
        return cidr


class NetworkDhcp(NetworkTable):
    """Stay dynamic: DHCP for IPv4, and for IPv6 what the router advertises."""

    source: Literal["dhcp"] = Field(description="Where the addresses come from")
    cidr: HostInterfaces = Field(
        (), description="Static addresses; their IP version is then static altogether"
    )
    gateway: Gateways = Field((), description="Default routers of static IP versions")
    dns: HostAddresses = Field((), description="Name servers beside those of the lease")


Network = Annotated[
    NetworkFromDhcp | NetworkFromAnswer | NetworkDhcp, Field(discriminator="source")
]
