"""Bonds, VLANs and bridges of the plan, and how they stand on each other."""

from __future__ import annotations

from typing import Any

import pytest

from installer.plan.network_plan import IpConfig, NetworkError
from tests.unit.network.machines import machine, management_nics, nic, plan, profile, static


def test_bond_below_the_management_bridge() -> None:
    made = plan(
        static(
            interface="bond0",
            mtu=9000,
            bonds=[
                {
                    "name": "bond0",
                    "mode": "802.3ad",
                    "interfaces": [{"driver": "ixgbe"}, "eno3"],
                    "lacp-rate": "fast",
                    "xmit-hash-policy": "layer3+4",
                }
            ],
        ),
        machine(nic(1, driver="ixgbe"), nic(2, driver="ixgbe"), nic(3), nic(4)),
    )
    bond = profile(made, "bond0")
    assert bond.bond == {
        "mode": "802.3ad",
        "miimon": "100",
        "updelay": "0",
        "downdelay": "0",
        "lacp_rate": "fast",
        "xmit_hash_policy": "layer3+4",
    }
    assert management_nics(made) == ["bond0"]
    members = [p for p in made.profiles if p.controller == bond.uuid]
    assert [p.id for p in members] == ["eno1", "eno2", "eno3"]
    assert {p.port_type for p in members} == {"bond"}
    assert bond.cloned_mac == profile(made, "vmbr0").cloned_mac == "52:54:00:00:00:01"
    assert {p.mtu for p in made.profiles} == {9000}


def test_management_in_a_vlan_of_a_vlan_aware_bridge() -> None:
    made = plan(
        static(
            management_interface="mgmt",
            bridges=[{"name": "vmbr0", "ports": ["eno1"], "vlan-aware": True}],
            vlans=[{"name": "mgmt", "id": 20, "interface": "vmbr0"}],
        )
    )
    bridge, vlan, port = (profile(made, name) for name in ("vmbr0", "mgmt", "eno1"))
    assert (bridge.vlan_filtering, bridge.vlans, port.vlans) == (True, "20", "2-4094")
    assert bridge.ipv4 == bridge.ipv6 == IpConfig(method="disabled")
    assert (vlan.vlan_id, vlan.vlan_parent, vlan.cloned_mac) == (20, "vmbr0", "")
    assert vlan.ipv4 and vlan.ipv4.addresses == ("192.0.2.10/24",)


def test_other_links_are_never_the_default_route() -> None:
    made = plan(
        static(
            interface="eno1",
            vlans=[{"name": "storage", "id": 30, "interface": "eno2", "dhcp": True, "mtu": 9000}],
            bridges=[{"name": "vmbr1"}, {"name": "vmbr2", "cidr": "10.0.0.1/24"}],
        ),
        machine(nic(1), nic(2)),
    )
    storage = profile(made, "storage")
    assert storage.ipv4 and storage.ipv4.never_default
    assert profile(made, "vmbr1").ipv6 == IpConfig(method="disabled")
    assert profile(made, "vmbr2").ipv6 == IpConfig(method="link-local")
    # Names of NICs may change, the profile of the NIC finds it by its hardware address.
    assert storage.vlan_parent == profile(made, "eno2").uuid
    # A VLAN's NIC carries its packets, and has no addresses of its own.
    assert profile(made, "eno2").mtu == 9000
    assert profile(made, "eno2").ipv4 == IpConfig(method="disabled")
    assert profile(made, "eno1").mtu is None


def test_a_small_mtu_on_one_link_leaves_the_others_alone() -> None:
    vlans = [
        {"name": "small", "id": 1, "interface": "eno2", "mtu": 1400},
        {"name": "usual", "id": 2, "interface": "eno2"},
    ]
    made = plan(static(interface="eno1", mtu=1300, vlans=vlans), machine(nic(1), nic(2)))
    assert {profile.id: profile.mtu for profile in made.profiles} == {
        "vmbr0": 1300,
        "eno1": None,
        "small": 1400,
        "usual": None,
        "eno2": None,
    }


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"bridges": [{"name": "x", "ports": ["eno9"]}]}, "there is no eno9 for x"),
        ({"bridges": [{"name": "x", "ports": [{"driver": "q"}]}]}, "what x asks for"),
        ({"bridges": [{"name": "x", "ports": ["eno1"]}]}, "eno1 cannot be a port twice"),
        ({"bridges": [{"name": "x", "ports": ["eno2", "eno2"]}]}, "cannot be a port twice"),
        ({"bridges": [{"name": "x", "ports": ["y"]}, {"name": "y"}]}, "y cannot be a port of x"),
        ({"bridges": [{"name": "eno2"}]}, "name of a NIC and of a link"),
        ({"bridges": [{"name": "x", "kind": "openvswitch"}]}, "no Open vSwitch"),
        (
            {
                "bonds": [{"name": "b", "mode": "broadcast", "interfaces": ["v"]}],
                "vlans": [{"name": "v", "id": 1, "interface": "eno2"}],
            },
            "v cannot be a port of b",
        ),
        (
            {
                "vlans": [{"name": "v", "id": 1, "interface": "x"}],
                "bridges": [{"name": "x", "ports": ["v"]}],
            },
            "in a circle: v on x on v",
        ),
        (
            {
                "vlans": [
                    {"name": f"v{n}", "id": 1, "interface": f"v{n + 1}" if n < 9 else "eno2"}
                    for n in range(10)
                ]
            },
            "v0 stands on more than 8 links",
        ),
        (
            {
                "bonds": [
                    {
                        "name": "b",
                        "mode": "active-backup",
                        "interfaces": ["eno2"],
                        "primary": "eno1",
                    }
                ]
            },
            "eno1 is not one of the NICs of b",
        ),
        (
            {
                "vlans": [{"name": "v", "id": 1, "interface": "eno2", "cidr": "10.0.0.1/8"}],
                "bridges": [{"name": "x", "ports": ["v"]}],
            },
            "v is a port of x and cannot have addresses",
        ),
        (
            {
                "bonds": [{"name": "b", "mode": "broadcast", "interfaces": ["eno2"], "mtu": 1500}],
                "vlans": [{"name": "v", "id": 1, "interface": "b", "mtu": 9000}],
            },
            "b has MTU 1500, but a link on it has 9000",
        ),
    ],
)
def test_links_that_do_not_fit(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(NetworkError) as caught:
        plan(static(interface="eno1", **keys), machine(nic(1), nic(2)))
    assert words in str(caught.value)
