"""The address of the cluster's page: Pacemaker gives it to one member after the other.

It needs fencing, as everything that Pacemaker runs: without, a member that is only cut off would
keep the address while another takes it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface
from xml.etree import ElementTree

from agent.cluster.cib import values
from agent.cluster.links import Addresses, Interface
from agent.cluster.status import Cluster
from agent.core.command import run
from agent.core.commands import Command, command
from agent.core.errors import SlipwayError

RESOURCE = "slipway-address"
# Seconds between two looks whether the address is still there.
MONITOR_SECONDS = 10
SECONDS = 120


@dataclass(frozen=True)
class Address:
    """The cluster's address as it is set: "192.0.2.9/24"."""

    address: str
    prefix: str

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix}"


def parse(text: str) -> Interface:
    """An address with its prefix. Raises SlipwayError."""
    with suppress(ValueError):
        if "/" in text:
            return ip_interface(text)
    raise SlipwayError(f"{text} is no address with its prefix", hint="such as 192.0.2.9/24")


def check(wanted: Interface, state: Cluster, own: Addresses) -> None:
    """Raises SlipwayError that says why the cluster cannot have this address.

    state: of the cluster; own: addresses of this node, by interface.
    """
    if not state.ha:
        raise SlipwayError(
            "the address needs fencing, or two nodes could have it at once",
            where=str(wanted),
            hint=state.why_off,
        )
    for member in state.members:
        if wanted.ip in map(ip_address, member.addresses):
            raise SlipwayError(f"it is an address of {member.name}", where=str(wanted))
    networks = {one.network for link in own.values() for one in link}
    if wanted.network not in networks:
        known = ", ".join(sorted(str(each) for each in networks if not each.is_loopback))
        raise SlipwayError(
            "this node is in no such network", where=str(wanted), hint=f"it is in: {known}"
        )


def plan_set(wanted: Interface, current: Address | None) -> tuple[Command, ...]:
    """What gives the cluster this address, or another instead of the one it has."""
    words = (f"ip={wanted.ip}", f"cidr_netmask={wanted.network.prefixlen}")
    if current is not None:
        return (command("pcs", "resource", "update", RESOURCE, *words),)
    monitor = ("op", "monitor", f"interval={MONITOR_SECONDS}s")
    kind = "ocf:heartbeat:IPaddr2"
    return (command("pcs", "resource", "create", RESOURCE, kind, *words, *monitor),)


def plan_remove(current: Address | None) -> tuple[Command, ...]:
    """What takes the address away. Raises SlipwayError when there is none."""
    if current is None:
        raise SlipwayError("the cluster has no address of its own")
    return (command("pcs", "resource", "delete", RESOURCE),)


def read() -> Address | None:
    """The address that is set, if any. Raises CommandFailed where the cluster does not run."""
    return find(run(["cibadmin", "--query", "--scope", "resources"], timeout=SECONDS).stdout)


def find(xml: str) -> Address | None:
    """The address in the CIB's resources."""
    for primitive in ElementTree.fromstring(xml).iter("primitive"):
        if primitive.get("id") == RESOURCE:
            said = values(primitive, "instance_attributes")
            return Address(said.get("ip", ""), said.get("cidr_netmask", ""))
    return None


def holder() -> str:
    """The member that has the address now, empty when none has. Raises CommandFailed."""
    argv = ["crm_mon", "--one-shot", "--output-as=xml", f"--resource={RESOURCE}"]
    return find_holder(run(argv, timeout=SECONDS).stdout)


def find_holder(xml: str) -> str:
    """The same from crm_mon's XML."""
    root = ElementTree.fromstring(xml)
    node = root.find(f".//resource[@id='{RESOURCE}'][@active='true']/node")
    return "" if node is None else node.get("name", "")
