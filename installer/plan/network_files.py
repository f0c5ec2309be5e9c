"""The node's network files: profiles, names, hosts."""

from __future__ import annotations

from collections.abc import Iterator

from agent.core.template import render
from installer.plan.model import PlannedFile
from installer.plan.network_plan import NetworkPlan

NETWORK_MANAGER = "/etc/NetworkManager"


def network_files(network: NetworkPlan) -> Iterator[PlannedFile]:
    """Everything that the network plan puts on the node."""
    name = network.fqdn.partition(".")[0]
    addresses = _first_of_each_version(network.addresses)
    identity = {"fqdn": network.fqdn, "name": name}
    yield PlannedFile(path="/etc/hostname", content=render("node/etc/hostname", name=name))
    yield PlannedFile(
        path="/etc/hosts", content=render("node/etc/hosts", addresses=addresses, **identity)
    )
    # NetworkManager writes the file behind this link, and leaves the link alone.
    yield PlannedFile(path="/etc/resolv.conf", link_target="/run/NetworkManager/resolv.conf")
    configuration = f"{NETWORK_MANAGER}/conf.d/slipway.conf"
    yield PlannedFile(path=configuration, content=render(f"node{configuration}"))
    if network.dynamic:
        dispatcher = f"{NETWORK_MANAGER}/dispatcher.d/50-slipway-hosts"
        yield PlannedFile(
            path=dispatcher,
            content=render(f"node{dispatcher}", interface=network.management_interface, **identity),
            mode="0755",
        )
    for profile in network.profiles:
        yield PlannedFile(
            path=f"{NETWORK_MANAGER}/system-connections/{profile.id}.nmconnection",
            content=render(
                f"node{NETWORK_MANAGER}/system-connections/profile.nmconnection", profile=profile
            ),
            mode="0600",
        )
    for pin in network.pins:
        yield PlannedFile(
            path=f"/etc/systemd/network/50-slipway-{pin.name}.link",
            content=render("node/etc/systemd/network/pinned.link", pin=pin),
        )


def _first_of_each_version(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """The first IPv4 and the first IPv6 address, without prefix: those that the name has."""
    first: dict[bool, str] = {}
    for address in addresses:
        first.setdefault(":" in address, address.partition("/")[0])
    return tuple(first.values())
