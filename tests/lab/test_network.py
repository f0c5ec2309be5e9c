"""Networks as the answer file asks for them, after the reboot: bond, VLAN, dual stack, IPv6, DHCP.

Each class is one installation.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.lab.answers import ADDRESS, DNS, FQDN, GATEWAY, PASSWORD, answer
from tests.lab.arguments import Accelerator
from tests.lab.conftest import LAYOUT, RunningNode, empty_folder
from tests.lab.install import (
    LOGIN_LIMIT,
    SSH_PORT,
    free_port,
    install,
    node_spec,
    wait_until_ready,
)
from tests.lab.spec import Forward, Nic, UserNetwork
from tests.lab.ssh import Key, Ssh
from tests.lab.wait import until

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

BRIDGE = "vmbr0"
ADDRESS6, GATEWAY6, DNS6 = "fec0::15/64", "fec0::2", "fec0::3"
VLAN, VLAN_ID, VLAN_ADDRESS, VLAN_NEIGHBOR = "storage", 100, "192.0.2.15/24", "192.0.2.99"
MAC_0, MAC_1 = "52:54:00:00:00:01", "52:54:00:00:00:02"
# Not what DHCP offered while the node was installed.
LATER_ADDRESS = "10.0.2.77"
BOND = "/proc/net/bonding/bond0"
GREETING = b"SSH-2.0-OpenSSH"
# Seconds for a command on the console, and for the bond to see what happened to a cable.
COMMAND_LIMIT = 60
FAILOVER_LIMIT = 60

Pair = tuple[Nic, Nic]


@dataclass(frozen=True)
class Laboratory:
    """What an installation needs."""

    iso: Path
    accelerator: Accelerator
    key: Key

    @contextmanager
    def node(
        self,
        name: str,
        network: dict[str, Any],
        nics: tuple[Nic, ...],
        later: tuple[Nic, ...] | None = None,
    ) -> Iterator[RunningNode]:
        """Install a node with this [network] on a machine with these NICs, and start it.

        later: the machine's NICs once the node is installed.
        """
        folder = empty_folder(name)
        spec = replace(node_spec(name, "bios", LAYOUT), nics=nics)
        wanted = {**answer(LAYOUT, self.key.public), "network": network}
        made, _ = install(spec, wanted, self.iso, self.key, self.accelerator, folder)
        made = replace(made, spec=replace(spec, nics=later or nics))
        with made.boot(folder / "boot") as machine:
            wait_until_ready(machine)
            yield RunningNode(made, machine, folder)
        shutil.rmtree(made.home)


@pytest.fixture(scope="session")
def laboratory(built_iso: Path, accelerator: Accelerator, key: Key) -> Laboratory:
    return Laboratory(built_iso, accelerator, key)


def user_network(**more: Any) -> UserNetwork:
    """QEMU's network, with the node's SSH port within reach."""
    return UserNetwork((Forward(free_port(), SSH_PORT),), **more)


def ssh_through(node: RunningNode, nic: Nic) -> Ssh:
    """The node's SSH server behind this NIC."""
    assert isinstance(nic.network, UserNetwork)
    return Ssh(nic.network.forwards[0].host, node.installed.key)


def host(address: str) -> str:
    return address.partition("/")[0]


def kept_addresses(shown: str) -> set[str]:
    """The addresses in `ip -json address` with their prefix, without IPv6's own of the link."""
    found = [item for link in json.loads(shown) for item in link["addr_info"]]
    return {f"{x['local']}/{x['prefixlen']}" for x in found if x["scope"] != "link"}


def default_routes(shown: str) -> list[tuple[str, str]]:
    """Gateway and link of each route in `ip -json route`."""
    return [(route["gateway"], route["dev"]) for route in json.loads(shown)]


def hardware(ssh: Ssh, name: str) -> tuple[str, str]:
    """A NIC's own address, whatever a bond gave it, and its place on the bus."""
    link = json.loads(ssh.output("ip", "-json", "link", "show", "dev", name))[0]
    place = ssh.output("readlink", "-f", f"/sys/class/net/{name}/device")
    return link.get("permaddr", link["address"]), place


def bond_ports(ssh: Ssh) -> tuple[str, set[str]]:
    """The port that the bond uses, and all that have carrier."""
    text = ssh.output("cat", BOND)
    active = re.search(r"^Currently Active Slave: (\S+)$", text, re.MULTILINE)
    assert active
    up = re.findall(r"^Slave Interface: (\S+)\nMII Status: up$", text, re.MULTILINE)
    return active[1], set(up)


class TestBond:
    """Pinned names, NICs that have changed places, a bond with a cable pulled, a VLAN on it."""

    @pytest.fixture(scope="class")
    def nics(self) -> Pair:
        """The second one has its cable pulled."""
        first = Nic(MAC_0, user_network(wire=True))
        return first, Nic(MAC_1, user_network(), plugged=False)

    @pytest.fixture(scope="class")
    def node(self, laboratory: Laboratory, nics: Pair) -> Iterator[RunningNode]:
        bond = {"name": "bond0", "mode": "active-backup", "interfaces": ["lan0", "lan1"]}
        vlan = {"name": VLAN, "id": VLAN_ID, "interface": "bond0", "cidr": VLAN_ADDRESS}
        network = {
            "source": "from-answer",
            "cidr": [ADDRESS, ADDRESS6],
            "gateway": [GATEWAY, GATEWAY6],
            "dns": DNS,
            "interface": "bond0",
            "interface-name-pinning": {"enabled": True, "mapping": {MAC_0: "lan0", MAC_1: "lan1"}},
            "bonds": [bond],
            "vlans": [vlan],
        }
        with laboratory.node("network-bond", network, nics, nics[::-1]) as node:
            yield node

    @pytest.fixture(scope="class")
    def ssh(self, node: RunningNode, nics: Pair) -> Ssh:
        """The node, through the one NIC with a cable."""
        ssh = ssh_through(node, nics[0])
        ssh.wait_until_up(LOGIN_LIMIT)
        return ssh

    def test_names_stay_with_the_cards(self, ssh: Ssh) -> None:
        (mac_0, place_0), (mac_1, place_1) = hardware(ssh, "lan0"), hardware(ssh, "lan1")
        assert (mac_0, mac_1) == (MAC_0, MAC_1)
        assert place_0 > place_1

    def test_the_bond_uses_the_card_with_a_cable(self, ssh: Ssh) -> None:
        assert bond_ports(ssh) == ("lan0", {"lan0"})

    def test_addresses_and_gateways(self, ssh: Ssh) -> None:
        shown = ssh.output("ip", "-json", "address", "show", "dev", BRIDGE)
        assert kept_addresses(shown) == {ADDRESS, ADDRESS6}
        for version, gateway in (("-4", GATEWAY), ("-6", GATEWAY6)):
            routes = ssh.output("ip", "-json", version, "route", "show", "default")
            assert default_routes(routes) == [(gateway, BRIDGE)]
            ssh.run(["ping", version, "-c", "1", "-W", "10", gateway])

    def test_the_node_answers_over_ipv6(self, node: RunningNode, ssh: Ssh, nics: Pair) -> None:
        with node.machine.wire(nics[0]) as wire:
            assert wire.greeting(host(ADDRESS6), SSH_PORT).startswith(GREETING)

    def test_the_node_answers_in_the_vlan(self, node: RunningNode, ssh: Ssh, nics: Pair) -> None:
        shown = ssh.output("ip", "-json", "address", "show", "dev", VLAN)
        assert kept_addresses(shown) == {VLAN_ADDRESS}
        with node.machine.wire(nics[0]) as wire:
            wire.resolve(host(VLAN_ADDRESS), MAC_0, VLAN_NEIGHBOR, vlan=VLAN_ID)

    def test_the_other_card_takes_over(self, node: RunningNode, ssh: Ssh, nics: Pair) -> None:
        """Comes last: the first cable stays out."""

        def second_is_up() -> bool | None:
            return "lan1" in bond_ports(ssh)[1] or None

        node.machine.plug_cable(nics[1], plugged=True)
        until(second_is_up, FAILOVER_LIMIT, "lan1 to be up", where=BOND)
        node.machine.plug_cable(nics[0], plugged=False)
        other = ssh_through(node, nics[1])
        other.wait_until_up(LOGIN_LIMIT)
        assert bond_ports(other) == ("lan1", {"lan1"})


class TestIpv6Only:
    """No IPv4 anywhere: the network has none either, so the console is the way in."""

    NIC = Nic(MAC_0, UserNetwork(ipv4=False, wire=True))

    @pytest.fixture(scope="class")
    def node(self, laboratory: Laboratory) -> Iterator[RunningNode]:
        network = {"source": "from-answer", "cidr": ADDRESS6, "gateway": GATEWAY6, "dns": DNS6}
        with laboratory.node("network-ipv6", network, (self.NIC,)) as node:
            serial = node.machine.serial
            serial.log_in("root", PASSWORD, COMMAND_LIMIT)
            # Nothing of what the kernel has to say among the output.
            serial.run("dmesg --console-level 1", COMMAND_LIMIT)
            yield node

    def output(self, node: RunningNode, *argv: str) -> str:
        """What a program prints that is run on the console."""
        status, lines = node.machine.serial.run(shlex.join(argv), COMMAND_LIMIT)
        assert status == 0, lines
        return "\n".join(lines)

    def test_the_node_answers(self, node: RunningNode) -> None:
        with node.machine.wire(self.NIC) as wire:
            assert wire.greeting(host(ADDRESS6), SSH_PORT).startswith(GREETING)

    def test_addresses_and_gateway(self, node: RunningNode) -> None:
        shown = self.output(node, "ip", "-json", "address", "show", "dev", BRIDGE)
        assert kept_addresses(shown) == {ADDRESS6}
        routes = self.output(node, "ip", "-json", "-6", "route", "show", "default")
        assert default_routes(routes) == [(GATEWAY6, BRIDGE)]
        assert self.output(node, "ip", "-json", "-4", "route", "show", "default") == "[]"
        self.output(node, "ping", "-c", "1", "-W", "10", GATEWAY6)

    def test_names(self, node: RunningNode) -> None:
        assert self.output(node, "hostname", "-f") == FQDN
        known = self.output(node, "getent", "ahosts", FQDN).splitlines()
        assert {line.split()[0] for line in known} == {host(ADDRESS6)}
        assert f"nameserver {DNS6}" in self.output(node, "cat", "/etc/resolv.conf").splitlines()


class TestDhcp:
    """The DHCP server offers another address after the installation."""

    @pytest.fixture(scope="class")
    def ssh(self, laboratory: Laboratory) -> Iterator[Ssh]:
        before = Nic(MAC_0, user_network())
        later = Nic(MAC_0, user_network(dhcp_start=LATER_ADDRESS))
        with laboratory.node("network-dhcp", {"source": "dhcp"}, (before,), (later,)) as node:
            node.ssh.wait_until_up(LOGIN_LIMIT)
            yield node.ssh

    def test_the_address_is_todays_lease(self, ssh: Ssh) -> None:
        shown = ssh.output("ip", "-json", "-4", "address", "show", "dev", BRIDGE)
        assert kept_addresses(shown) == {f"{LATER_ADDRESS}/24"}
        assert [item["dynamic"] for item in json.loads(shown)[0]["addr_info"]] == [True]
        routes = ssh.output("ip", "-json", "-4", "route", "show", "default")
        assert default_routes(routes) == [(GATEWAY, BRIDGE)]
        assert f"nameserver {DNS}" in ssh.output("cat", "/etc/resolv.conf").splitlines()

    def test_the_name_has_the_address_of_today(self, ssh: Ssh) -> None:
        assert ssh.output("hostname", "-f") == FQDN
        known = ssh.output("getent", "ahostsv4", FQDN).splitlines()
        assert {line.split()[0] for line in known} == {LATER_ADDRESS}
