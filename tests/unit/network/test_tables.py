"""The [network] table: what is accepted, and what is refused with which words."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from installer.answers.network import FqdnFromDhcp, NetworkFromAnswer
from tests.unit.network.machines import ADAPTER, STATIC, network, static

BOND = {"name": "bond0", "mode": "802.3ad", "interfaces": ["eno1", "eno2"]}


def refused(**keys: Any) -> str:
    """All error texts for this table, each after the path of its key."""
    with pytest.raises(ValidationError) as caught:
        network(**keys)
    return "\n".join(
        f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in caught.value.errors()
    )


def test_the_peers_table() -> None:
    table = network(
        source="from-answer",
        cidr="10.10.10.10/24",
        dns="10.10.10.1",
        gateway="10.10.10.1",
        filter={"ID_NET_NAME_MAC": "*1234"},
        interface_name_pinning={"enabled": True, "mapping": {"BC:24:11:AA:bb:01": "lan0"}},
    )
    assert isinstance(table, NetworkFromAnswer)
    assert table.cidr == (ip_interface("10.10.10.10/24"),)
    assert table.dns == table.gateway == (ip_address("10.10.10.1"),)
    assert table.interface_name_pinning
    assert table.interface_name_pinning.mapping == {"bc:24:11:aa:bb:01": "lan0"}


def test_one_value_or_several() -> None:
    both = ["192.0.2.10/24", "2001:db8::10/64"]
    table = static(cidr=both, gateway=["192.0.2.1", "fe80::1"], dns=[], search="a.example")
    assert isinstance(table, NetworkFromAnswer)
    assert [str(address) for address in table.cidr] == both
    assert table.dns == ()
    assert table.search == ("a.example",)


@pytest.mark.parametrize("missing", ["cidr", "dns", "gateway", "source"])
def test_a_key_that_the_peer_requires(missing: str) -> None:
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({key: value for key, value in STATIC.items() if key != missing})


@pytest.mark.parametrize(
    "cidr",
    [
        "192.0.2.10",
        "192.0.2.10/33",
        "192.0.2.10/0",
        "192.0.2.10/255.255.255.0",
        "192.0.2.10/24 ",
        "192.0.2.0/24",
        "192.0.2.255/24",
        "127.0.0.1/8",
        "::1/128",
        "224.0.0.1/24",
        "0.0.0.0/8",
        "fe80::1%eth0/64",
        "2001:db8::1/129",
        "192.0.2.10/24\n",
        "",
        [],
        3232235786,
    ],
)
def test_addresses_that_no_node_can_have(cidr: object) -> None:
    assert refused(**{**STATIC, "cidr": cidr}).startswith("from-answer.cidr")


@pytest.mark.parametrize("cidr", ["192.0.2.0/31", "192.0.2.1/32", "10.0.0.255/16", "2001:db8::/64"])
def test_addresses_at_the_edge_of_their_network(cidr: str) -> None:
    assert isinstance(static(cidr=cidr), NetworkFromAnswer)


@pytest.mark.parametrize("mtu, good", [(575, 0), (576, 1), (65535, 1), (65536, 0), ("1500", 0)])
def test_range_of_mtu(mtu: object, good: bool) -> None:
    if good:
        assert static(mtu=mtu).mtu == mtu
    else:
        assert "from-answer.mtu" in refused(**STATIC, mtu=mtu)


@pytest.mark.parametrize("number, good", [(0, 0), (1, 1), (4094, 1), (4095, 0), (True, 0)])
def test_range_of_vlan_ids(number: object, good: bool) -> None:
    vlans = [{"name": "v", "id": number, "interface": "eno1"}]
    if good:
        assert static(vlans=vlans).vlans[0].id == number
    else:
        assert "from-answer.vlans.0.id" in refused(**STATIC, vlans=vlans)


@pytest.mark.parametrize(
    "name",
    ["", "a" * 16, "a b", "a/b", "a:1", "lo", "all", "default", "1st", ".", "..", "a\n", "%d"],
)
def test_names_that_the_kernel_or_its_tools_refuse(name: str) -> None:
    assert "from-answer.bridges.0.name" in refused(**STATIC, bridges=[{"name": name}])


@pytest.mark.parametrize("name", ["a", "a" * 15, "vmbr0.20", "bond0", "lan_1", "x-y"])
def test_names_that_are_fine(name: str) -> None:
    assert static(bridges=[{"name": name}]).bridges[0].name == name


def test_all_seven_bond_modes() -> None:
    modes = "balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb balance-alb"
    for mode in modes.split():
        assert static(bonds=[{**BOND, "mode": mode}]).bonds[0].mode == mode
    assert "bonds.0.mode" in refused(**STATIC, bonds=[{**BOND, "mode": "lacp"}])


@pytest.mark.parametrize(
    "option, value, mode",
    [
        ("lacp-rate", "fast", "active-backup"),
        ("ad-select", "count", "balance-rr"),
        ("min-links", 1, "balance-alb"),
        ("xmit-hash-policy", "layer2", "active-backup"),
        ("primary", "eno1", "802.3ad"),
    ],
)
def test_bond_options_of_another_mode(option: str, value: object, mode: str) -> None:
    assert option in refused(**STATIC, bonds=[{**BOND, "mode": mode, option: value}])


def test_delays_need_miimon() -> None:
    assert "miimon" in refused(**STATIC, bonds=[{**BOND, "miimon": 0, "updelay": 100}])


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"gateway": ["192.0.2.1", "192.0.2.2"]}, "at most one gateway"),
        ({"filter": {"A": "*"}, "interface": "eno1"}, "filter or interface"),
        ({"filter": {}}, "filter"),
        ({"interface": {}}, "at least one of name, mac, driver, pci-path and udev"),
        ({"bridges": [{"name": "x"}, {"name": "x"}]}, "2 links are named x"),
        ({"bridges": [{"name": "vmbr0"}], "interface": "eno1"}, "vmbr0 has its own table"),
        ({"bridges": [{"name": "vmbr0", "dhcp": True}]}, "belong in [network]"),
        ({"bridges": [{"name": "vmbr0", "mtu": 9000}], "mtu": 1500}, "MTU of vmbr0 once"),
        ({"bridges": [{"name": "x", "kind": "openvswitch", "vlan-aware": True}]}, "vlan-aware"),
        ({"bonds": [{**BOND, "interfaces": []}]}, "at least one NIC"),
        ({"routes": [{"to": "10.0.0.1/8"}]}, "without host bits"),
        ({"routes": [{"to": "10.0.0.0/8", "via": "fe80::1"}]}, "cannot be the way to"),
        ({"nosuch": 1}, "nosuch"),
        ({"routes": [{"to": "10.0.0.0/8"}] * 257}, "at most 256"),
        ({"search": ["a b"]}, "DNS name"),
        ({"interface_name_pinning": {"enabled": "yes"}}, "valid boolean"),
        ({"interface_name_pinning": {"enabled": True, "mapping": {"x": "lan0"}}}, "mapping"),
    ],
)
def test_what_does_not_fit_together(keys: dict[str, Any], words: str) -> None:
    assert words in refused(**{**STATIC, **keys})


def test_one_name_for_two_nics() -> None:
    mapping = {"52:54:00:00:00:01": "lan0", "52:54:00:00:00:02": "lan0"}
    pinning = {"enabled": True, "mapping": mapping}
    assert "lan0 is given to 2 NICs" in refused(**STATIC, interface_name_pinning=pinning)


def test_domain_of_a_name_from_dhcp() -> None:
    assert FqdnFromDhcp.model_validate({"source": "from-dhcp", "domain": ""}).domain == ""
    with pytest.raises(ValidationError):
        FqdnFromDhcp.model_validate({"source": "from-dhcp", "domain": "a..b"})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["eno1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(sorted({*STATIC, "filter", "interface", "routes", "mtu", "bonds", "vlans"}))


# The first draw of text reads Unicode's tables, which takes a second.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(KEYS, VALUES))
def test_any_value_is_accepted_or_refused_in_words(values: dict[str, Any]) -> None:
    try:
        ADAPTER.validate_python({**STATIC, **values})
    except ValidationError as error:
        assert error.error_count()
