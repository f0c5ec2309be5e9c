"""Links of the node in [network]: which NIC, bonds, VLANs, bridges."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, StrictBool, Tag, field_validator, model_validator

from installer.answers.addresses import (
    Destination,
    HostAddress,
    HostInterfaces,
    LinkName,
    Mtu,
    VlanId,
)
from installer.answers.table import Table, conflict, refuse

# More links or routes than this are a mistake, or an attempt to keep the planner busy.
MOST = 256
Pattern = Annotated[str, Field(min_length=1, max_length=255)]
Milliseconds = Annotated[int, Field(ge=0, le=60_000, strict=True)]

BondMode = Literal[
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
]
HashPolicy = Literal["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"]
# The bonding options that only some modes know (kernel: Documentation/networking/bonding.rst).
BOND_OPTION_MODES: dict[str, tuple[BondMode, ...]] = {
    "lacp_rate": ("802.3ad",),
    "ad_select": ("802.3ad",),
    "min_links": ("802.3ad",),
    "xmit_hash_policy": ("balance-xor", "802.3ad", "balance-tlb"),
    "primary": ("active-backup", "balance-tlb", "balance-alb"),
}


class InterfaceMatch(Table):
    """Chooses NICs by what they are. Values are globs; a NIC must match all that are given."""

    name: Pattern | None = Field(None, description="Name, pinned or as the kernel has it")
    mac: Pattern | None = Field(None, description="Hardware address, upper or lower case")
    driver: Pattern | None = Field(None, description="Name of the kernel's driver")
    pci_path: Pattern | None = Field(
        None, description="Place on the bus, as udev's ID_PATH: `pci-0000:3b:00.0`"
    )
    udev: dict[str, Pattern] = Field({}, description="Udev properties of the NIC")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.udev and not any((self.name, self.mac, self.driver, self.pci_path)):
            raise refuse("at least one of name, mac, driver, pci-path and udev")
        return self


def _kind_of_choice(value: object) -> str:
    return "match" if isinstance(value, (dict, InterfaceMatch)) else "name"


# A link by its name, or NICs by what they are.
LinkChoice = Annotated[
    Annotated[LinkName, Tag("name")] | Annotated[InterfaceMatch, Tag("match")],
    Discriminator(_kind_of_choice),
]


class Route(Table):
    """A static route."""

    to: Destination = Field(description="Network that the route leads to")
    via: HostAddress | None = Field(
        None, description="Address of the router; without one the network is on the link itself"
    )
    metric: Annotated[int, Field(ge=0, le=2**32 - 1, strict=True)] | None = Field(
        None, description="Cost of the route; the lowest is taken"
    )

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        if self.via and self.via.version != self.to.version:
            raise conflict(f"{self.via} cannot be the way to {self.to}")
        return self


Routes = Annotated[tuple[Route, ...], Field(max_length=MOST)]


class Link(Table):
    """What every link of the node can have besides the management address."""

    name: LinkName = Field(description="Name of the link on the node")
    cidr: HostInterfaces = Field((), description="Addresses with prefix length")
    dhcp: StrictBool = Field(
        False, description="Use DHCP and router advertisements, but not for the default route"
    )
    routes: Routes = Field((), description="Static routes")
    mtu: Mtu | None = Field(
        None,
        description="Largest packet in bytes; default: 1500, or what a link on this one needs",
    )


class Bond(Link):
    """Several NICs as one link. Times are in milliseconds."""

    mode: BondMode = Field(description="How the NICs share the work")
    interfaces: tuple[LinkChoice, ...] = Field(
        description="NICs, by name or by what they are; the first gives the hardware address"
    )
    miimon: Milliseconds = Field(100, description="Interval of looking for carrier; 0 does not")
    updelay: Milliseconds = Field(0, description="Wait before a NIC with carrier is used again")
    downdelay: Milliseconds = Field(0, description="Wait before a NIC without carrier is left")
    primary: LinkName | None = Field(None, description="NIC that is used whenever it has carrier")
    lacp_rate: Literal["slow", "fast"] | None = Field(
        None, description="Ask the switch for LACP packets every 30 seconds or every second"
    )
    ad_select: Literal["stable", "bandwidth", "count"] | None = Field(
        None, description="How LACP chooses among several groups of NICs"
    )
    min_links: Annotated[int, Field(ge=0, le=64, strict=True)] | None = Field(
        None, description="NICs that must have carrier before the bond has"
    )
    xmit_hash_policy: HashPolicy | None = Field(
        None, description="What decides which NIC a packet leaves through"
    )

    @field_validator("interfaces")
    @classmethod
    def _at_least_one(cls, interfaces: tuple[LinkChoice, ...]) -> tuple[LinkChoice, ...]:
        if not interfaces:
            raise refuse("at least one NIC")
        return interfaces

    @model_validator(mode="after")
    def _options_fit_the_mode(self) -> Self:
        for option, modes in BOND_OPTION_MODES.items():
            if getattr(self, option) is not None and self.mode not in modes:
                key = option.replace("_", "-")
                raise conflict(f"{key} works with mode {', '.join(modes)}, not {self.mode}")
        if not self.miimon and (self.updelay or self.downdelay):
            raise conflict("updelay and downdelay need miimon")
        return self


class Vlan(Link):
    """A tagged network on another link."""

    id: VlanId = Field(description="VLAN tag")
    interface: LinkName = Field(description="NIC, bond or bridge that carries it")


class Bridge(Link):
    """A switch in the node that guests are connected to. It may have no ports."""

    kind: Literal["linux", "openvswitch"] = Field("linux", description="The kernel's, or OVS")
    ports: tuple[LinkChoice, ...] = Field(
        (), description="NICs, bonds and VLANs, by name or NICs by what they are"
    )
    vlan_aware: StrictBool = Field(
        False, description="Keep guests' VLAN tags: each guest can be in VLANs of its own"
    )

    @model_validator(mode="after")
    def _open_vswitch_knows_vlans(self) -> Self:
        if self.kind == "openvswitch" and self.vlan_aware:
            raise conflict("vlan-aware is for kind linux; Open vSwitch always passes VLANs")
        return self
