"""A person at the cluster's page: a cable to the switch, and an account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent.core.command import run
from tests.cluster.network import Switch
from tests.cluster.node import Node

PASSWORD = "let me in"


@contextmanager
def cable(switch: Switch) -> Iterator[None]:
    """This machine's own network reaches the nodes' first link while the context lasts."""
    name = f"{switch.name}-man"
    peer = ["peer", "name", "person", "netns", switch.name]
    run(["ip", "link", "add", name, "type", "veth", *peer])
    try:
        run(["ip", "-n", switch.name, "link", "set", "person", "master", "br0", "up"])
        run(["ip", "addr", "add", f"{switch.address(254, 0)}/24", "dev", name])
        run(["ip", "link", "set", name, "up"])
        yield
    finally:
        run(["ip", "link", "del", name])


def open_page(node: Node) -> None:
    """Start on a node what the agent starts, and give root a password."""
    node.run(["systemctl", "enable", "--now", "cockpit.socket", "slipway-overview.socket"])
    node.run(["chpasswd"], input=f"root:{PASSWORD}\n")


def add_account(node: Node, name: str, groups: str) -> None:
    """An account with the same password. groups: separated by commas."""
    node.run(["useradd", "--create-home", "--shell", "/bin/bash", "--groups", groups, name])
    node.run(["chpasswd"], input=f"{name}:{PASSWORD}\n")
