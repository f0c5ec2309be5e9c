"""Choosing among the machine's NICs, and the names that they get on the node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import count

from installer.answers.links import InterfaceMatch
from installer.answers.network import InterfaceNamePinning
from installer.inventory.model import NetworkInterface
from installer.plan.network_plan import NetworkError


@dataclass(frozen=True)
class Nic:
    """A NIC of the machine. name: on the node; pinned: a .link file gives that name.

    unique_mac: no other NIC of the machine has the same hardware address.
    """

    name: str
    pinned: bool
    unique_mac: bool
    hardware: NetworkInterface

    def __str__(self) -> str:
        link = {True: "link up", False: "link down", None: "link unknown"}[self.hardware.link_up]
        words = (self.hardware.mac, self.hardware.driver, link)
        return f"{self.hardware.name} ({', '.join(filter(None, words))})"


def name_nics(
    interfaces: Sequence[NetworkInterface], pinning: InterfaceNamePinning | None
) -> tuple[Nic, ...]:
    """All NICs in the order of the inventory, with their names on the node.

    Pinned NICs that the mapping does not name become nic0, nic1 …, by their place in the
    inventory, or where the mapping gives that name to another NIC, a number after all places; a
    NIC that shares its hardware address with another one cannot be pinned.
    Raises NetworkError when two NICs would get one name.
    """
    mapping = pinning.mapping if pinning and pinning.enabled else {}
    macs = Counter(interface.mac.lower() for interface in interfaces)
    numbers = map("nic{}".format, count(len(interfaces)))
    free = (name for name in numbers if name not in mapping.values())
    nics = []
    for index, hardware in enumerate(interfaces):
        mac = hardware.mac.lower()
        unique = macs[mac] == 1
        if mac in mapping and not unique:
            raise NetworkError(f"{mapping[mac]} cannot be pinned: several NICs have {mac}")
        pinned = pinning is not None and pinning.enabled and unique
        name = hardware.name
        if pinned:
            place = f"nic{index}"
            name = mapping.get(mac) or (next(free) if place in mapping.values() else place)
        nics.append(Nic(name, pinned, unique, hardware))
    for name, number in Counter(nic.name for nic in nics).items():
        if number > 1:
            raise NetworkError(f"interface-name-pinning gives the name {name} to {number} NICs")
    return tuple(nics)


def unknown_macs(nics: Sequence[Nic], pinning: InterfaceNamePinning | None) -> tuple[str, ...]:
    """Hardware addresses in the mapping that no NIC of this machine has."""
    known = {nic.hardware.mac.lower() for nic in nics}
    return tuple(mac for mac in (pinning.mapping if pinning else {}) if mac not in known)


def with_properties(nics: Iterable[Nic], filter_: Mapping[str, str]) -> list[Nic]:
    """NICs, in the order of their names, with a udev property that matches any one entry."""
    return sorted(
        (nic for nic in nics if any(_property(nic, key, glob) for key, glob in filter_.items())),
        key=lambda nic: nic.hardware.name,
    )


def matching(nics: Iterable[Nic], match: InterfaceMatch) -> list[Nic]:
    """NICs that match everything that is given, in the order of the inventory."""
    return [nic for nic in nics if _matches(nic, match)]


def named(nics: Iterable[Nic], name: str) -> Nic | None:
    """The NIC with this name: first by names on the node, then by names of today."""
    by_name = {nic.hardware.name: nic for nic in nics} | {nic.name: nic for nic in nics}
    return by_name.get(name)


def listed(nics: Iterable[Nic]) -> str:
    """All NICs in words, for an error's hint."""
    return "this machine has " + (", ".join(map(str, nics)) or "no NIC")


def _matches(nic: Nic, match: InterfaceMatch) -> bool:
    hardware = nic.hardware
    wanted = (
        (match.mac.lower() if match.mac else None, hardware.mac.lower()),
        (match.driver, hardware.driver),
        (match.pci_path, hardware.pci_path),
    )
    return (
        all(glob is None or fnmatchcase(value, glob) for glob, value in wanted)
        and (match.name is None or any(fnmatchcase(n, match.name) for n in _names(nic)))
        and all(_property(nic, key, glob) for key, glob in match.udev.items())
    )


def _names(nic: Nic) -> tuple[str, str]:
    return nic.name, nic.hardware.name


def _property(nic: Nic, key: str, glob: str) -> bool:
    return key in nic.hardware.udev and fnmatchcase(nic.hardware.udev[key], glob)
