"""Profiles as NetworkManager reads them: compared with known good files, parsed by GLib."""

from __future__ import annotations

from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
from gi.repository import GLib

from installer.plan.model import PlannedFile
from installer.plan.network_files import network_files
from tests.unit.network.machines import lease, machine, network, nic, plan, static

GOLDEN = Path(__file__).parent / "golden"
CONNECTIONS = "/etc/NetworkManager/system-connections/"
TEN_GIGABIT = {"driver": "ixgbe"}

# Each was given once to `nmcli --offline connection modify` of NetworkManager 1.52, which kept
# every key of every file.
NETWORKS: Mapping[str, Any] = {
    "static": static(),
    "dhcp": network(source="dhcp", interface="eno1"),
    "dual-stack": static(
        interface="eno1",
        cidr=["192.0.2.10/24", "192.0.2.11/24", "2001:db8::10/64"],
        gateway=["192.0.2.1", "fe80::1"],
        dns=["192.0.2.1", "2001:db8::1"],
        search=["a.example", "b.example"],
        mtu=1400,
        routes=[{"to": "10.0.0.0/8", "via": "192.0.2.254", "metric": 100}],
    ),
    "stacked": static(
        management_interface="vmbr0.20",
        interface_name_pinning={"enabled": True, "mapping": {"52:54:00:00:00:04": "lan0"}},
        bonds=[
            {
                "name": "bond0",
                "mode": "802.3ad",
                "interfaces": [TEN_GIGABIT],
                "lacp-rate": "fast",
                "ad-select": "bandwidth",
                "min-links": 1,
                "xmit-hash-policy": "layer3+4",
                "updelay": 200,
            }
        ],
        bridges=[
            {"name": "vmbr0", "ports": ["bond0"], "vlan-aware": True},
            {"name": "vmbr1"},
        ],
        vlans=[
            {"name": "vmbr0.20", "id": 20, "interface": "vmbr0", "mtu": 9000},
            {"name": "storage", "id": 30, "interface": "lan0", "dhcp": True},
        ],
    ),
}
MACHINE = machine(nic(1, **TEN_GIGABIT), nic(2, **TEN_GIGABIT), nic(3), nic(4), leases=(lease(),))


def files(name: str) -> dict[str, PlannedFile]:
    inventory = machine() if name == "static" else MACHINE
    return {file.path: file for file in network_files(plan(NETWORKS[name], inventory))}


def keyfiles(name: str) -> dict[str, PlannedFile]:
    return {
        path.removeprefix(CONNECTIONS): file
        for path, file in files(name).items()
        if path.startswith(CONNECTIONS)
    }


def parsed(file: PlannedFile) -> dict[str, dict[str, str]]:
    """The file as GLib reads it, which is what NetworkManager uses."""
    keyfile = GLib.KeyFile()
    keyfile.load_from_data(file.content, len(file.content), GLib.KeyFileFlags.NONE)
    return {
        group: {key: keyfile.get_string(group, key) for key in keyfile.get_keys(group)[0]}
        for group in keyfile.get_groups()[0]
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_profiles_are_as_they_were(name: str) -> None:
    folder = GOLDEN / name
    golden = {path.name: path.read_text() for path in folder.iterdir()}
    assert {name: file.content for name, file in keyfiles(name).items()} == golden


@pytest.mark.parametrize("name", NETWORKS)
def test_every_profile_is_private_and_parses(name: str) -> None:
    for path, file in keyfiles(name).items():
        assert file.mode == "0600"
        assert f"{parsed(file)['connection']['id']}.nmconnection" == path
        # GLib gives the last one of two equal keys without a word, ConfigParser refuses them.
        ConfigParser(interpolation=None).read_string(file.content)


def test_ports_name_controllers_that_exist() -> None:
    groups = [parsed(file)["connection"] for file in keyfiles("stacked").values()]
    types = {connection["uuid"]: connection["type"] for connection in groups}
    assert len(types) == len(groups)
    ports = [connection for connection in groups if "controller" in connection]
    assert len(ports) == 3
    for port in ports:
        assert types[port["controller"]] == port["port-type"]


def test_values_reach_the_keys_that_networkmanager_knows() -> None:
    connection = parsed(keyfiles("dual-stack")["vmbr0.nmconnection"])
    assert connection["ipv4"] == {
        "method": "manual",
        "address1": "192.0.2.10/24",
        "address2": "192.0.2.11/24",
        "gateway": "192.0.2.1",
        "route1": "10.0.0.0/8,192.0.2.254,100",
        "dns": "192.0.2.1;",
        "dns-search": "a.example;b.example;",
    }
    assert connection["bridge"] == {"stp": "false"}


def test_other_nics_are_left_alone() -> None:
    made = files("dual-stack")
    assert "[main]\nno-auto-default=*\n" in made["/etc/NetworkManager/conf.d/slipway.conf"].content
    assert set(keyfiles("dual-stack")) == {"vmbr0.nmconnection", "eno1.nmconnection"}


def test_same_answer_same_files_and_another_node_other_uuids() -> None:
    assert keyfiles("stacked") == keyfiles("stacked")
    other = network_files(plan(static(), fqdn="node2.example.com"))
    uuids = {parsed(f)["connection"]["uuid"] for f in other if f.path.startswith(CONNECTIONS)}
    ours = {parsed(file)["connection"]["uuid"] for file in keyfiles("static").values()}
    assert len(uuids) == len(ours) == 2
    assert not uuids & ours


def test_pinned_names_by_hardware_address() -> None:
    made = files("stacked")
    link = made["/etc/systemd/network/50-slipway-lan0.link"].content
    assert link == "[Match]\nMACAddress=52:54:00:00:00:04\nType=ether\n\n[Link]\nName=lan0\n"
    assert sum(path.endswith(".link") for path in made) == 4
    assert not any(path.endswith(".link") for path in files("static"))
