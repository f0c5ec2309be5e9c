"""Facts about this node that a person wants to see."""

from __future__ import annotations

import json
import os
from pathlib import Path

from agent import __version__
from agent.core.command import run
from agent.core.errors import CommandFailed
from agent.status import Node

WEB_PORT = 9090
KVM = Path("/dev/kvm")
# Scopes of addresses that other hosts reach; the kernel's name for fec0::/10 is "site".
REACHABLE = ("global", "site")


def address_of(interface: str) -> str:
    """The address at which others reach the interface, IPv4 before IPv6; empty without one."""
    try:
        links = json.loads(run(["ip", "-j", "address", "show", "dev", interface]).stdout)
    except CommandFailed:
        return ""
    entries = [entry for link in links for entry in link.get("addr_info", [])]
    usable = [
        entry
        for entry in entries
        if entry["scope"] in REACHABLE
        and not entry.get("tentative")
        and not entry.get("deprecated")
    ]
    usable.sort(key=lambda entry: str(entry["family"]))
    return str(usable[0]["local"]) if usable else ""


def web_url(address: str) -> str:
    """Where the web interface of a node with this address is; empty for no address."""
    host = f"[{address}]" if ":" in address else address
    return f"https://{host}:{WEB_PORT}" if address else ""


def kvm_present(device: Path = KVM) -> bool:
    """The kernel hands out hardware virtualization: its device can be opened, not only seen."""
    try:
        os.close(os.open(device, os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def facts(fqdn: str, interface: str) -> Node:
    """The node as the status shows it. Raises ToolMissing."""
    address = address_of(interface)
    return Node(
        fqdn=fqdn,
        address=address,
        web_url=web_url(address),
        kvm="present" if kvm_present() else "absent",
        version=__version__,
    )
