"""Machines and answers that the network tests share."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from installer.answers.network import FqdnFromDhcp, Network
from installer.inventory.model import Firmware, Inventory, Lease, NetworkInterface
from installer.plan.network import plan_network
from installer.plan.network_plan import NetworkPlan, Profile

FQDN = "node1.example.com"
STATIC: dict[str, Any] = {
    "source": "from-answer",
    "cidr": "192.0.2.10/24",
    "dns": "192.0.2.1",
    "gateway": "192.0.2.1",
}
ADAPTER: TypeAdapter[Network] = TypeAdapter(Network)


def network(**keys: Any) -> Network:
    """A [network] table; keys are written with _ for -."""
    return ADAPTER.validate_python({key.replace("_", "-"): value for key, value in keys.items()})


def static(**keys: Any) -> Network:
    """A static [network] table with one address."""
    return network(**{**STATIC, **keys})


def nic(number: int, **fields: Any) -> NetworkInterface:
    """The NIC eno<number> with the address 52:54:00:00:00:0<number>."""
    values = {
        "name": f"eno{number}",
        "mac": f"52:54:00:00:00:{number:02X}",
        "driver": "igb",
        "link_up": True,
        "udev": {"ID_NET_NAME_MAC": f"enx52540000000{number}", "ID_VENDOR": "Intel"},
    }
    return NetworkInterface(**{**values, **fields})


def lease(number: int = 1, **fields: Any) -> Lease:
    """A lease on eno<number>."""
    values = {
        "interface": f"eno{number}",
        "address": f"198.51.100.{number}/24",
        "gateway": "198.51.100.254",
        "dns": ("198.51.100.253",),
    }
    return Lease(**{**values, **fields})


def machine(*nics: NetworkInterface, leases: tuple[Lease, ...] = ()) -> Inventory:
    """A machine with these NICs, one if none are given."""
    return Inventory(
        firmware=Firmware(mode="uefi"),
        memory_mib=4096,
        interfaces=nics or (nic(1),),
        leases=leases,
    )


def plan(
    table: Network, inventory: Inventory | None = None, fqdn: str | FqdnFromDhcp = FQDN
) -> NetworkPlan:
    return plan_network(table, fqdn, inventory or machine())


def profile(made: NetworkPlan, name: str) -> Profile:
    """The plan's one profile with this id."""
    (found,) = (profile for profile in made.profiles if profile.id == name)
    return found


def management_nics(made: NetworkPlan) -> list[str]:
    """The NICs that are ports of the management bridge."""
    bridge = profile(made, made.management_interface)
    return [profile.id for profile in made.profiles if profile.controller == bridge.uuid]
