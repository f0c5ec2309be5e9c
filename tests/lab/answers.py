"""Answer files for machines of the laboratory."""

from __future__ import annotations

from typing import Any

import tomlkit

from tests.lab.layouts import Layout

FQDN = "node1.lab.example.org"
# Occurs nowhere by itself, so that a leak is found by searching for it; a shell, a template or a
# line format on the way would change it.
PASSWORD = """Zq7 "lab" & $(id) `id` 'pw' \\n %s:{{Kx4}}"""
# Where QEMU's user network expects a machine.
ADDRESS = "10.0.2.15/24"
# The first address for guests of a node that has a fixed one.
GUESTS_START = "10.0.2.100"
GATEWAY = "10.0.2.2"
DNS = "10.0.2.3"

Answer = dict[str, Any]


def answer(layout: Layout, public_key: str, *, dhcp: bool = False) -> Answer:
    """A complete answer for the layout's disks and the machine's only network card.

    dhcp: the node asks for its address at each boot, and is offered the same.
    """
    static = {"source": "from-answer", "cidr": ADDRESS, "gateway": GATEWAY, "dns": DNS}
    return {
        "global": {
            "country": "us",
            "fqdn": FQDN,
            "keyboard": "en-us",
            "mailto": "root@example.org",
            "timezone": "Europe/Berlin",
            "root-password": PASSWORD,
            "root-ssh-keys": [public_key],
        },
        "network": {"source": "dhcp"} if dhcp else static,
        "disk-setup": {**layout.disk_setup, "disk-list": list(layout.disks)},
    }


def as_toml(content: Answer) -> str:
    return tomlkit.dumps(content)
