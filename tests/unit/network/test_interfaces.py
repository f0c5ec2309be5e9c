"""Which NIC is meant, and what it is called on the node."""

from __future__ import annotations

from typing import Any

import pytest

from installer.inventory.model import Inventory
from installer.plan.addressing import NoLease
from installer.plan.network_plan import NamePin, NetworkError
from tests.unit.network.machines import (
    lease,
    machine,
    management_nics,
    network,
    nic,
    plan,
    profile,
    static,
)

FOUR = (nic(2), nic(1, driver="ixgbe", pci_path="pci-0000:3b:00.0"), nic(4), nic(3))


def chosen(inventory: Inventory, **keys: Any) -> list[str]:
    return management_nics(plan(static(**keys), inventory))


@pytest.mark.parametrize(
    "keys, name",
    [
        ({"interface": "eno3"}, "eno3"),
        ({"interface": {"name": "*4"}}, "eno4"),
        ({"interface": {"mac": "52:54:00:00:00:03"}}, "eno3"),
        ({"interface": {"driver": "ix*"}}, "eno1"),
        ({"interface": {"pci-path": "*3b:00.?"}}, "eno1"),
        ({"interface": {"udev": {"ID_NET_NAME_MAC": "*4"}}}, "eno4"),
        ({"filter": {"ID_NET_NAME_MAC": "*3", "NOSUCH": "*"}}, "eno3"),
    ],
)
def test_choice(keys: dict[str, Any], name: str) -> None:
    assert chosen(machine(*FOUR), **keys) == [name]


def test_filter_takes_the_first_nic_by_name() -> None:
    assert chosen(machine(*FOUR), filter={"ID_VENDOR": "Int*"}) == ["eno1"]


def test_interface_must_match_everything_and_one_nic() -> None:
    both = {"driver": "igb", "udev": {"ID_NET_NAME_MAC": "*1"}}
    with pytest.raises(NetworkError, match="no NIC matches interface"):
        plan(static(interface=both), machine(*FOUR))
    with pytest.raises(NetworkError, match="matches several NICs.*\n.*eno2.*eno4.*eno3") as caught:
        plan(static(interface={"driver": "igb"}), machine(*FOUR))
    assert "eno1" not in str(caught.value)


@pytest.mark.parametrize(
    "keys", [{"interface": "eno9"}, {"filter": {"NOSUCH": "*"}}, {"interface": {"driver": "x"}}]
)
def test_no_such_nic_lists_those_there_are(keys: dict[str, Any]) -> None:
    with pytest.raises(NetworkError, match=r"eno2 \(52:54:00:00:00:02, igb, link up\), eno1"):
        plan(static(**keys), machine(*FOUR))


def test_without_a_choice_there_must_be_no_doubt() -> None:
    assert chosen(machine(nic(1, link_up=False))) == ["eno1"]
    assert chosen(machine(nic(1, link_up=False), nic(2), nic(3, link_up=None))) == ["eno2"]
    with pytest.raises(NetworkError, match="not clear which NIC.*\n.*interface or filter.*eno1"):
        plan(static(), machine(*FOUR))
    with pytest.raises(NetworkError, match="not clear"):
        plan(static(), machine(nic(1, link_up=False), nic(2, link_up=False)))


def test_no_nic_at_all() -> None:
    empty = machine().model_copy(update={"interfaces": ()})
    with pytest.raises(NetworkError, match="this machine has no NIC"):
        plan(static(), empty)
    with pytest.raises(NoLease):
        plan(network(source="from-dhcp"), empty)


def test_dhcp_takes_the_nic_with_a_lease_that_leads_out() -> None:
    leases = (lease(2, gateway=""), lease(3))
    for source in ("from-dhcp", "dhcp"):
        made = plan(network(source=source), machine(*FOUR, leases=leases))
        assert management_nics(made) == ["eno3"]
    filtered = network(source="from-dhcp", filter={"ID_VENDOR": "*"})
    assert management_nics(plan(filtered, machine(*FOUR, leases=leases))) == ["eno2"]


def test_profiles_follow_the_hardware_address_where_it_tells_nics_apart() -> None:
    made = plan(static(interface="eno1"), machine(nic(1), nic(2)))
    assert (profile(made, "eno1").mac, profile(made, "eno1").interface) == ("52:54:00:00:00:01", "")
    twins = machine(nic(1), nic(2, mac="52:54:00:00:00:01"))
    made = plan(static(interface="eno1"), twins)
    assert (profile(made, "eno1").mac, profile(made, "eno1").interface) == ("", "eno1")


def pinned(*nics: Any, **mapping: str) -> Any:
    macs = {f"52:54:00:00:00:0{key[-1]}": name for key, name in mapping.items()}
    return plan(
        static(interface="lan0", interface_name_pinning={"enabled": True, "mapping": macs}),
        machine(*nics),
    )


def test_pinned_names() -> None:
    made = pinned(nic(1), nic(2), nic(3), nic2="lan0")
    assert made.pins == (
        NamePin(mac="52:54:00:00:00:01", name="nic0"),
        NamePin(mac="52:54:00:00:00:02", name="lan0"),
        NamePin(mac="52:54:00:00:00:03", name="nic2"),
    )
    assert profile(made, "lan0").interface == "lan0"
    assert made.warnings == ()


def test_pinned_names_do_not_depend_on_the_order_of_nics() -> None:
    forwards = pinned(nic(1), nic(2), nic1="lan0", nic2="lan1")
    backwards = pinned(nic(2, name="eth0"), nic(1, name="eth1"), nic1="lan0", nic2="lan1")
    assert set(forwards.pins) == set(backwards.pins)
    assert forwards.profiles == backwards.profiles


def test_a_name_of_today_still_chooses_a_pinned_nic() -> None:
    pinning = {"enabled": True, "mapping": {"52:54:00:00:00:01": "eno2"}}
    made = plan(
        static(interface="eno2", interface_name_pinning=pinning), machine(nic(1), nic(2), nic(3))
    )
    assert profile(made, "vmbr0").cloned_mac == "52:54:00:00:00:01"


def test_a_name_that_the_mapping_gives_away_is_not_given_twice() -> None:
    made = pinned(nic(1), nic(2), nic(3), nic2="nic0", nic3="lan0")
    names = {pin.mac[-2:]: pin.name for pin in made.pins}
    assert names == {"01": "nic3", "02": "nic0", "03": "lan0"}


def test_pinning_that_is_off_does_nothing() -> None:
    pinning = {"enabled": False, "mapping": {"52:54:00:00:00:01": "lan0"}}
    assert plan(static(interface_name_pinning=pinning)).pins == ()


def test_pins_that_cannot_be() -> None:
    with pytest.raises(NetworkError, match="the name eno2 to 2 NICs"):
        pinned(nic(1), nic(2), nic(3, mac="52:54:00:00:00:02"), nic1="eno2")
    with pytest.raises(NetworkError, match="several NICs have 52:54:00:00:00:01"):
        pinned(nic(1), nic(2, mac="52:54:00:00:00:01"), nic1="lan0")
    (warning,) = pinned(nic(1), nic1="lan0", nic9="lan9").warnings
    assert "52:54:00:00:00:09" in warning


def test_nics_that_share_an_address_keep_their_names() -> None:
    zero = "00:00:00:00:00:00"
    made = pinned(nic(1), nic(2, mac=zero), nic(3, mac=zero), nic1="lan0")
    assert [pin.name for pin in made.pins] == ["lan0"]
