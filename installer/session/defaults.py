"""What the choices are before anybody has chosen: offered from the machine itself. Pure."""

from __future__ import annotations

from installer.inventory.model import Disk, Inventory, Lease
from installer.plan.disk_checks import why_unusable
from installer.plan.disks import name_order
from installer.plan.storage.layout import stable_link
from installer.session.draft import Document

# A domain that is nobody's (RFC 8375 is for homes, RFC 9476's .alt never resolves).
DOMAIN = "home.arpa"


def first_draft(inventory: Inventory) -> Document:
    """The draft that a session begins with."""
    name = f"node1.{_domain(inventory)}"
    return {
        "global": {
            "country": "us",
            "fqdn": name,
            "keyboard": "en-us",
            "mailto": f"root@{name}",
            "timezone": "UTC",
        },
        "network": offered_network(inventory),
        "disk-setup": _disks(inventory),
    }


def offered_network(inventory: Inventory) -> Document:
    """The first lease as static addresses, or an empty form for static addresses."""
    lease = next((x for x in inventory.leases if x.gateway), None) or next(
        iter(inventory.leases), None
    )
    if lease:
        return network_of(lease)
    up = [nic for nic in inventory.interfaces if nic.link_up] or inventory.interfaces
    chosen = {"interface": up[0].name} if up else {}
    return {"source": "from-answer", "cidr": [], "gateway": [], "dns": [], **chosen}


def network_of(lease: Lease) -> Document:
    """What DHCP offered, as it would be typed in."""
    return {
        "source": "from-answer",
        "cidr": [lease.address],
        "gateway": [lease.gateway] if lease.gateway else [],
        "dns": list(lease.dns),
        "interface": lease.interface,
    }


def usable_disks(inventory: Inventory) -> list[Disk]:
    """The disks that a node can be installed on, in their order."""
    return sorted((disk for disk in inventory.disks if not why_unusable(disk)), key=name_order)


def _disks(inventory: Inventory) -> Document:
    usable = usable_disks(inventory)
    empty = [disk for disk in usable if not disk.contents and not disk.holders]
    # Only one that is empty is taken without asking.
    chosen = {"disk-list": [stable_link(empty[0])]} if empty else {}
    return {"filesystem": "ext4", **chosen}


def _domain(inventory: Inventory) -> str:
    words = (lease.domain.split() for lease in inventory.leases)
    return next((found[0] for found in words if found), DOMAIN)
