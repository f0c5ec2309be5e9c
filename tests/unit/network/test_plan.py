"""Names and addresses of the plan."""

from __future__ import annotations

from typing import Any

import pytest

from installer.answers.network import FqdnFromDhcp
from installer.plan.addressing import NoLease
from installer.plan.network_plan import IpConfig, NetworkError
from tests.unit.network.machines import (
    FQDN,
    lease,
    machine,
    network,
    nic,
    plan,
    profile,
    static,
)


def test_static_address_on_the_bridge() -> None:
    made = plan(static())
    assert (made.fqdn, made.management_interface) == (FQDN, "vmbr0")
    assert (made.addresses, made.dynamic) == (("192.0.2.10/24",), False)
    bridge, port = profile(made, "vmbr0"), profile(made, "eno1")
    assert bridge.ipv4 == IpConfig(
        method="manual",
        addresses=("192.0.2.10/24",),
        gateway="192.0.2.1",
        dns=("192.0.2.1",),
        search=("example.com",),
    )
    assert bridge.ipv6 == IpConfig(method="link-local")
    assert bridge.cloned_mac == port.mac == "52:54:00:00:00:01"
    assert (port.controller, port.port_type, port.ipv4) == (bridge.uuid, "bridge", None)


def test_both_ip_versions() -> None:
    made = plan(
        static(
            cidr=["2001:db8::10/64", "192.0.2.10/24", "192.0.2.11/24"],
            gateway=["192.0.2.1", "fe80::1"],
            dns=["2001:db8::53", "192.0.2.53"],
            search=["a.example", "b.example"],
            routes=[
                {"to": "10.0.0.0/8", "via": "192.0.2.2", "metric": 7},
                {"to": "10.1.0.0/16", "metric": 7},
                {"to": "2001:db8:1::/48", "via": "2001:db8::2"},
                {"to": "2001:db8:2::/48"},
            ],
        )
    )
    bridge = profile(made, "vmbr0")
    assert bridge.ipv4 and bridge.ipv6
    assert bridge.ipv4.addresses == ("192.0.2.10/24", "192.0.2.11/24")
    assert bridge.ipv6.addresses == ("2001:db8::10/64",)
    assert (bridge.ipv4.gateway, bridge.ipv6.gateway) == ("192.0.2.1", "fe80::1")
    assert (bridge.ipv4.dns, bridge.ipv6.dns) == (("192.0.2.53",), ("2001:db8::53",))
    assert bridge.ipv4.search == bridge.ipv6.search == ("a.example", "b.example")
    assert bridge.ipv4.routes == ("10.0.0.0/8,192.0.2.2,7", "10.1.0.0/16,0.0.0.0,7")
    assert bridge.ipv6.routes == ("2001:db8:1::/48,2001:db8::2", "2001:db8:2::/48")


def test_ipv6_only() -> None:
    made = plan(static(cidr="2001:db8::10/64", gateway="2001:db8::1", dns="2001:db8::1"))
    bridge = profile(made, "vmbr0")
    assert bridge.ipv4 == IpConfig(method="disabled")
    assert bridge.ipv6 and bridge.ipv6.method == "manual"


def test_lease_becomes_static() -> None:
    leases = (lease(dns=("198.51.100.253", "198.51.100.252")), lease(address="2001:db8::7/64"))
    made = plan(network(source="from-dhcp"), machine(leases=leases))
    assert made.addresses == ("198.51.100.1/24", "2001:db8::7/64")
    assert not made.dynamic
    ipv4 = profile(made, "vmbr0").ipv4
    assert ipv4 and (ipv4.method, ipv4.gateway) == ("manual", "198.51.100.254")
    assert ipv4.dns == ("198.51.100.253", "198.51.100.252")


def test_dynamic_plan_knows_todays_address() -> None:
    made = plan(network(source="dhcp"), machine(leases=(lease(),)))
    assert (made.addresses, made.dynamic) == (("198.51.100.1/24",), True)
    bridge = profile(made, "vmbr0")
    assert bridge.ipv4 == bridge.ipv6 == IpConfig(method="auto", search=("example.com",))
    assert plan(network(source="dhcp")).addresses == ()


def test_dynamic_ipv4_and_static_ipv6() -> None:
    made = plan(network(source="dhcp", cidr="2001:db8::10/64", gateway="2001:db8::1"))
    bridge = profile(made, "vmbr0")
    assert bridge.ipv4 and bridge.ipv4.method == "auto"
    assert bridge.ipv6 and bridge.ipv6.gateway == "2001:db8::1"


def test_no_lease_is_an_error_and_no_invented_address() -> None:
    with pytest.raises(NoLease, match="no DHCP server answered on any NIC"):
        plan(network(source="from-dhcp"))
    with pytest.raises(NoLease, match="no DHCP server answered on eno1"):
        plan(network(source="from-dhcp", interface="eno1"), machine(nic(1), nic(2)))
    other = machine(nic(1), nic(2), leases=(lease(2),))
    with pytest.raises(NoLease, match="eno1"):
        plan(network(source="from-dhcp", interface="eno1"), other)


def test_a_lease_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(NetworkError, match="lease cannot be used"):
        plan(network(source="from-dhcp"), machine(leases=(lease(address="nonsense"),)))


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"gateway": "198.51.100.1"}, "198.51.100.1 is not in a network of the node"),
        ({"gateway": "192.0.2.10"}, "is the node's own address"),
        ({"gateway": "2001:db8::1"}, "2001:db8::1 is not in a network"),
        ({"dns": ["192.0.2.1", "2001:db8::53"]}, "the node has no IPv6 address"),
        ({"cidr": ["192.0.2.10/24", "192.0.2.10/25"]}, "192.0.2.10 is given twice"),
        ({"routes": [{"to": "2001:db8::/32"}]}, "needs an IPv6 address"),
        ({"bridges": [{"name": "b", "cidr": "192.0.2.10/24"}]}, "to b and to vmbr0"),
    ],
)
def test_addresses_that_do_not_fit(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(NetworkError) as caught:
        plan(static(**keys))
    assert words in str(caught.value)


FROM_DHCP = FqdnFromDhcp(source="from-dhcp")


@pytest.mark.parametrize(
    "domain, given, name",
    [
        ("", {"hostname": "web", "domain": "dhcp.example"}, "web.dhcp.example"),
        ("", {"hostname": "web", "domain": "one.example two.example"}, "web.one.example"),
        ("", {"hostname": "web.own.example"}, "web.own.example"),
        ("set.example", {"hostname": "web", "domain": "dhcp.example"}, "web.set.example"),
        ("set.example", {"hostname": "web.own.example."}, "web.set.example"),
    ],
)
def test_name_from_dhcp(domain: str, given: dict[str, Any], name: str) -> None:
    setting = FqdnFromDhcp(source="from-dhcp", domain=domain)
    made = plan(network(source="from-dhcp"), machine(leases=(lease(**given),)), setting)
    assert made.fqdn == name
    ipv4 = profile(made, "vmbr0").ipv4
    assert ipv4 and ipv4.search == (name.partition(".")[2],)


@pytest.mark.parametrize(
    "given, words",
    [
        ({}, "no host name"),
        ({"hostname": "web"}, "no domain"),
        ({"hostname": "123", "domain": "a.example"}, "all digits"),
        ({"hostname": "a\nb", "domain": "a.example"}, "DNS name"),
        ({"hostname": "x;reboot", "domain": "a.example"}, "DNS name"),
    ],
)
def test_no_usable_name_from_dhcp(given: dict[str, Any], words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        plan(network(source="from-dhcp"), machine(leases=(lease(**given),)), FROM_DHCP)


def test_summary_is_one_line_for_a_person() -> None:
    assert plan(static()).summary == "node1.example.com: 192.0.2.10/24 on vmbr0 (eno1)"
    assert plan(network(source="dhcp")).summary == "node1.example.com: DHCP on vmbr0 (eno1)"
