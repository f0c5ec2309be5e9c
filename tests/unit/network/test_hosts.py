"""The node's names: hostname, hosts, and the script that keeps hosts current with DHCP."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.command import run
from installer.answers.network import Network
from installer.plan.network_files import network_files
from tests.unit.network.machines import lease, machine, network, plan, static

DISPATCHER = "/etc/NetworkManager/dispatcher.d/50-slipway-hosts"


def content(table: Network, path: str) -> str:
    made = network_files(plan(table, machine(leases=(lease(),))))
    return next(file.content for file in made if file.path == path)


def lines_with_name(hosts: str) -> list[list[str]]:
    return [line.split() for line in hosts.splitlines() if "node1" in line]


def test_names() -> None:
    assert content(static(), "/etc/hostname") == "node1\n"
    hosts = content(static(), "/etc/hosts")
    assert hosts.startswith("127.0.0.1 localhost\n")
    assert lines_with_name(hosts) == [["192.0.2.10", "node1.example.com", "node1"]]


def test_first_address_of_each_version_has_the_name() -> None:
    table = static(cidr=["192.0.2.11/24", "2001:db8::9/64", "192.0.2.10/24", "2001:db8::8/64"])
    names = ["node1.example.com", "node1"]
    assert lines_with_name(content(table, "/etc/hosts")) == [
        ["192.0.2.11", *names],
        ["2001:db8::9", *names],
    ]


def test_dynamic_node_starts_with_the_lease_of_the_installation() -> None:
    assert ["198.51.100.1", "node1.example.com", "node1"] in lines_with_name(
        content(network(source="dhcp"), "/etc/hosts")
    )


def test_only_dynamic_nodes_get_the_script() -> None:
    paths = {file.path: file.mode for file in network_files(plan(network(source="dhcp")))}
    assert paths[DISPATCHER] == "0755"
    assert DISPATCHER not in {file.path for file in network_files(plan(static()))}


def test_resolver_is_networkmanagers() -> None:
    made = {file.path: file.link_target for file in network_files(plan(static()))}
    assert made["/etc/resolv.conf"] == "/run/NetworkManager/resolv.conf"


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """A folder that stands for /etc, with the hosts of an installation that had no lease."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "hosts").write_text("127.0.0.1 localhost\n10.9.9.9 other.example.com other\n")
    # awk is found through this one.
    (folder / "alternatives").symlink_to("/alternatives")
    return folder


def dispatch(etc: Path, addresses: dict[int, str], interface: str, action: str) -> str:
    """Run the script as NetworkManager does; `ip` answers with these addresses."""
    script, ip = etc.parent / "script", etc.parent / "ip"
    script.write_text(content(network(source="dhcp"), DISPATCHER).replace("/etc/", f"{etc}/"))
    answers = "".join(
        f'[ "$2" = -{version} ] && echo "3: vmbr0    inet {address} scope global"\n'
        for version, address in addresses.items()
    )
    ip.write_text(f"#!/bin/sh\n{answers}exit 0\n")
    for program in (script, ip):
        program.chmod(0o755)
    run([script, interface, action], env={"PATH": f"{etc.parent}:/usr/bin:/bin"})
    return (etc / "hosts").read_text()


def test_script_follows_the_lease(etc: Path) -> None:
    for address in ("10.0.0.5", "10.0.0.6"):
        hosts = dispatch(etc, {4: f"{address}/24", 6: "2001:db8::5/64"}, "vmbr0", "dhcp4-change")
        assert lines_with_name(hosts) == [
            [address, "node1.example.com", "node1"],
            ["2001:db8::5", "node1.example.com", "node1"],
        ]
    hosts = (etc / "hosts").read_text()
    assert "10.9.9.9 other.example.com other\n" in hosts
    assert oct((etc / "hosts").stat().st_mode)[-3:] == "644"
    assert [path.name for path in etc.iterdir() if path.is_file()] == ["hosts"]


@pytest.mark.parametrize(
    "addresses, interface, action",
    [
        ({}, "vmbr0", "up"),
        ({4: "10.0.0.5/24"}, "vmbr1", "up"),
        ({4: "10.0.0.5/24"}, "vmbr0", "down"),
    ],
)
def test_script_leaves_hosts_alone(
    etc: Path, addresses: dict[int, str], interface: str, action: str
) -> None:
    before = (etc / "hosts").read_text()
    assert dispatch(etc, addresses, interface, action) == before
