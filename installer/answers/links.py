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

    name: Pattern | None = None
    mac: Pattern | None = None
    driver: Pattern | None = None
    pci_path: Pattern | None = None
    udev: dict[str, Pattern] = {}

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
    """A static route. Without `via` the destination is on the link itself."""

    to: Destination
    via: HostAddress | None = None
    metric: Annotated[int, Field(ge=0, le=2**32 - 1, strict=True)] | None = None

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        if self.via and self.via.version != self.to.version:
            raise conflict(f"{self.via} cannot be the way to {self.to}")
        return self


class Link(Table):
    """What every link of the node can have besides the management address."""

    name: LinkName
    cidr: HostInterfaces = ()
    dhcp: StrictBool = False
    routes: tuple[Route, ...] = ()
    mtu: Mtu | None = None


class Bond(Link):
    """Several NICs as one link. Times are in milliseconds."""

    mode: BondMode
    interfaces: tuple[LinkChoice, ...]
    miimon: Milliseconds = 100
    updelay: Milliseconds = 0
    downdelay: Milliseconds = 0
    primary: LinkName | None = None
    lacp_rate: Literal["slow", "fast"] | None = None
    ad_select: Literal["stable", "bandwidth", "count"] | None = None
    min_links: Annotated[int, Field(ge=0, le=64, strict=True)] | None = None
    xmit_hash_policy: (
        Literal["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"] | None
    ) = None

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

    id: VlanId
    interface: LinkName


class Bridge(Link):
    """A switch in the node that guests are connected to. It may have no ports."""

    kind: Literal["linux", "openvswitch"] = "linux"
    ports: tuple[LinkChoice, ...] = ()
    vlan_aware: StrictBool = False

    @model_validator(mode="after")
    def _open_vswitch_knows_vlans(self) -> Self:
        if self.kind == "openvswitch" and self.vlan_aware:
            raise conflict("vlan-aware is for kind linux; Open vSwitch always passes VLANs")
        return self
