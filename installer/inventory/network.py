"""The machine's network links and what DHCP offered on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from installer.inventory.model import Lease, NetworkInterface
from installer.inventory.udev import Device


def read_interfaces(devices: Iterable[Device], sys: Path) -> tuple[NetworkInterface, ...]:
    """The physical links among udev's devices. sys: where sysfs is mounted."""
    links = [
        _read_interface(device, sys)
        for device in devices
        if device.properties.get("SUBSYSTEM") == "net" and not device.is_virtual
    ]
    return tuple(sorted(links, key=lambda link: (len(link.name), link.name)))


def _read_interface(device: Device, sys: Path) -> NetworkInterface:
    name = device.properties["INTERFACE"]
    folder = sys / "class/net" / name
    carrier = _read(folder / "carrier")
    speed = _read(folder / "speed")
    return NetworkInterface(
        name=name,
        mac=_read(folder / "address"),
        driver=device.properties.get("ID_NET_DRIVER", ""),
        pci_path=device.properties.get("ID_PATH", ""),
        link_up=carrier == "1" if carrier else None,
        # A link that is down has the speed -1.
        speed_mbit=int(speed) if speed.isdigit() else None,
        udev=device.properties,
    )


def _read(path: Path) -> str:
    # The kernel refuses to read some of these files while the link is administratively down.
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def parse_leases(nmcli: str) -> tuple[Lease, ...]:
    """What `nmcli --terse --fields all device show` says that the network offered.

    A link's DHCPv4 lease; where it has none, the address that IPv6 gave it.
    """
    leases = (_parse_lease(record) for record in nmcli.strip().split("\n\n"))
    return tuple(lease for lease in leases if lease is not None)


def _parse_lease(record: str) -> Lease | None:
    fields: dict[str, list[str]] = {}
    dhcp: dict[str, str] = {}
    for line in record.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.partition("[")[0], []).append(value)
        if key.startswith("DHCP4.OPTION"):
            name, _, content = value.partition(" = ")
            dhcp[name] = content
    version = "IP4" if "ip_address" in dhcp else "IP6"
    address = next(filter(_is_global, fields.get(f"{version}.ADDRESS", ())), "")
    if not address or fields.get("GENERAL.IS-SOFTWARE") == ["yes"]:
        return None
    return Lease(
        interface=fields["GENERAL.DEVICE"][0],
        address=address,
        gateway=_first(fields.get(f"{version}.GATEWAY", ())),
        dns=tuple(fields.get(f"{version}.DNS", ())),
        hostname=dhcp.get("host_name", ""),
        domain=dhcp.get("domain_name") or _first(fields.get(f"{version}.DOMAIN", ())),
    )


def _is_global(address: str) -> bool:
    return not address.startswith(("fe80:", "::1/"))


def _first(values: Sequence[str]) -> str:
    return values[0] if values else ""
