"""Types of the values in [network]: addresses, names of links, hardware addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from installer.answers.table import OneOrMany, refuse

Address = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface
Subnet = IPv4Network | IPv6Network

# Longest name of a link: the kernel's IFNAMSIZ (16) less the terminating zero.
LINK_NAME_LENGTH = 15
# The kernel refuses "/", ":" and white space; the rest is kept plain, because names become file
# names, sysctl keys and words of other tools' configuration.
LINK_NAME = r"^[A-Za-z][A-Za-z0-9_.-]*$"
# Names with a meaning of their own below /proc/sys/net and /sys/class/net.
RESERVED_LINK_NAMES = ("all", "default", "lo", "bonding_masters")
MAC = r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$"
DOMAIN_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
DOMAIN_LENGTH = 253


def parse_address(value: object) -> Address:
    """An address that one host can have. Raises PydanticCustomError."""
    try:
        address = ip_address(value) if isinstance(value, str) else None
    except ValueError:
        address = None
    if address is None or getattr(address, "scope_id", None) is not None:
        raise refuse('an IP address, like "192.0.2.1" or "2001:db8::1"')
    if address.is_unspecified or address.is_multicast:
        raise refuse("the address of one host")
    return address


def parse_interface(value: object) -> Interface:
    """An address with the length of its network's prefix. Raises PydanticCustomError."""
    text, slash, prefix = value.partition("/") if isinstance(value, str) else ("", "", "")
    if not slash or not re.fullmatch(r"[0-9]{1,3}", prefix):
        raise refuse('an address with a prefix length, like "192.0.2.10/24"')
    address = parse_address(text)
    if address.is_loopback:
        raise refuse("an address that other hosts can reach")
    if not 1 <= int(prefix) <= address.max_prefixlen:
        raise refuse(f"a prefix length from 1 to {address.max_prefixlen}")
    interface = ip_interface(f"{address}/{int(prefix)}")
    network = interface.network
    if network.version == 4 and network.prefixlen < 31:
        if interface.ip in (network.network_address, network.broadcast_address):
            raise refuse(f"an address of a host in {network}, not its first or last one")
    return interface


def parse_subnet(value: object) -> Subnet:
    """A network without host bits. Raises PydanticCustomError."""
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError as error:
        raise refuse('a network without host bits, like "10.0.0.0/8"') from error


def check_link_name(name: str) -> str:
    """The name of a link that the kernel and every tool accept. Raises PydanticCustomError."""
    if name in RESERVED_LINK_NAMES:
        raise refuse(f"a name that is free; {name} is reserved")
    return name


def check_domain(name: str) -> str:
    """A DNS name of one or more labels. Raises PydanticCustomError."""
    if len(name) > DOMAIN_LENGTH or not all(
        DOMAIN_LABEL.fullmatch(label) for label in name.split(".")
    ):
        raise refuse('a DNS name, like "example.com"')
    return name


def check_fqdn(name: str) -> str:
    """A full host name: two labels or more, the first not all digits. Raises as above."""
    labels = check_domain(name).split(".")
    if len(labels) < 2:
        raise refuse('a full name with a domain, like "node1.example.com"')
    if labels[0].isdigit():
        raise refuse("a host name that is not all digits")
    return name


def _parsed(parse: Callable[[object], object], format_: str) -> tuple[object, ...]:
    return (
        PlainValidator(parse),
        PlainSerializer(str),
        WithJsonSchema({"type": "string", "format": format_}),
    )


HostAddress = Annotated[Address, *_parsed(parse_address, "ip-address")]
HostInterface = Annotated[Interface, *_parsed(parse_interface, "ip-address-with-prefix")]
HostAddresses = Annotated[tuple[HostAddress, ...], OneOrMany()]
HostInterfaces = Annotated[tuple[HostInterface, ...], OneOrMany()]
Destination = Annotated[Subnet, *_parsed(parse_subnet, "ip-network")]
LinkName = Annotated[
    str,
    Field(pattern=LINK_NAME, max_length=LINK_NAME_LENGTH),
    AfterValidator(check_link_name),
]
MacAddress = Annotated[str, Field(pattern=MAC), AfterValidator(str.lower)]
Domain = Annotated[str, AfterValidator(check_domain)]
Domains = Annotated[tuple[Domain, ...], OneOrMany()]
FullName = Annotated[str, AfterValidator(check_fqdn)]
Mtu = Annotated[int, Field(ge=576, le=65535, strict=True)]
VlanId = Annotated[int, Field(ge=1, le=4094, strict=True)]
