"""What a container is: its name, limits, network and disk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from pathlib import Path

from agent.config import GuestStorage, Model
from agent.core.errors import SlipwayError

FOLDER = Path("/var/lib/lxc")
CONFIGURATION = "config"
# One label of a host name.
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SNAPSHOT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])i?B?", re.IGNORECASE)
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
SMALLEST_MEMORY = 16 << 20
SMALLEST_DISK = 64 << 20
# Snapshots that a clone needs for itself begin with this.
OWN_SNAPSHOT = "slipway-clone-"


class ContainerError(SlipwayError):
    """A container cannot be what was asked for."""


@dataclass(frozen=True)
class Network:
    """The one network card. addresses: none for DHCP; gateways and servers: addresses."""

    bridge: str
    mac: str
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    gateways: tuple[str, ...] = ()
    name_servers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Container:
    """A container as it is to be made. cores: processors' worth of time, such as 1.5."""

    name: str
    network: Network
    memory_bytes: int
    cores: float
    start_at_boot: bool = False


class Record(Model):
    """What LXC's configuration does not tell: kept beside it in slipway.json."""

    storage: GuestStorage
    disk_bytes: int
    template: str


def folder_of(name: str) -> Path:
    """Where LXC has the container."""
    return FOLDER / name


def rootfs_of(name: str) -> Path:
    """Where the container's root is mounted while it is filled, and with ZFS always."""
    return FOLDER / name / "rootfs"


def check_name(name: str) -> str:
    """The name. Raises ContainerError unless it can be a host name."""
    if not NAME.fullmatch(name):
        raise ContainerError(
            f"a container cannot be called {name!r}",
            hint="up to 63 of a-z, 0-9 and -, not - at the ends: it is the host name too",
        )
    return name


def check_snapshot(label: str) -> str:
    """The snapshot's name. Raises ContainerError."""
    if not SNAPSHOT.fullmatch(label) or label.startswith(OWN_SNAPSHOT):
        raise ContainerError(
            f"a snapshot cannot be called {label!r}", hint="letters, digits, - and _, up to 63"
        )
    return label


def bytes_of(text: str, smallest: int) -> int:
    """The bytes of a size like 512M or 1.5G (powers of 1024). Raises ContainerError."""
    match = SIZE.fullmatch(text.strip())
    if not match:
        raise ContainerError(f"this is no size: {text!r}", hint="write it like 512M or 1.5G")
    size = int(float(match[1]) * UNITS[match[2].upper()])
    if not smallest <= size < 1 << 60:
        raise ContainerError(f"{text} is too {'small' if size < smallest else 'large'}")
    # LVM counts in sectors.
    return size // 512 * 512


def cores_of(text: str) -> float:
    """Processors' worth of time. Raises ContainerError."""
    try:
        cores = float(text)
    except ValueError:
        cores = 0
    if not 0.01 <= cores <= 4096:
        raise ContainerError(f"this is no number of cores: {text!r}", hint="such as 2 or 0.5")
    return cores


def addresses_of(texts: Sequence[str]) -> tuple[IPv4Interface | IPv6Interface, ...]:
    """Addresses with their prefix; none for "dhcp". Raises ContainerError."""
    found = []
    for text in (text for text in texts if text != "dhcp"):
        try:
            interface = ip_interface(text)
        except ValueError as error:
            raise ContainerError(f"this is no address: {error}") from error
        if "/" not in text or interface.is_multicast or interface.is_unspecified:
            raise ContainerError(
                f"this cannot be the address of a container: {text}",
                hint="write address and prefix, like 192.0.2.10/24",
            )
        found.append(interface)
    if found and "dhcp" in texts:
        raise ContainerError("dhcp and fixed addresses do not go together")
    if len({interface.version for interface in found}) != len(found):
        raise ContainerError("give one IPv4 and one IPv6 address at most")
    return tuple(found)


def gateways_of(
    texts: Sequence[str], addresses: Sequence[IPv4Interface | IPv6Interface]
) -> tuple[str, ...]:
    """Gateways, each within reach of an address. Raises ContainerError."""
    for text in texts:
        try:
            gateway = ip_address(text)
        except ValueError as error:
            raise ContainerError(f"this is no address: {error}") from error
        near = any(
            gateway.version == own.version and gateway in own.network and gateway != own.ip
            for own in addresses
        )
        if not near and not gateway.is_link_local:
            raise ContainerError(f"the gateway {text} is not in the network of the address")
    return tuple(texts)
