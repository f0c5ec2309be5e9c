"""From [cluster] links to addresses, on the running node."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest

from agent.cluster.links import resolve
from agent.step import Retry, WaitForOperator

ADDRESSES = {
    "vmbr0": [ip_interface("2001:db8::5/64"), ip_interface("192.0.2.5/24")],
    "eno2": [ip_interface("10.9.0.5/24"), ip_interface("10.9.0.6/24")],
    "eno3": [],
}


def test_each_kind_of_place() -> None:
    places = ["vmbr0", "10.9.0.6", "2001:db8::/64"]
    assert resolve(places, ADDRESSES) == ("192.0.2.5", "10.9.0.6", "2001:db8::5")


@pytest.mark.parametrize("place", ["eno3", "eno4", "192.0.2.9", "198.51.100.0/24"])
def test_an_address_that_is_not_there_may_come(place: str) -> None:
    with pytest.raises(Retry, match=place):
        resolve([place], ADDRESSES)


def test_several_addresses_in_a_network_need_a_person() -> None:
    with pytest.raises(WaitForOperator, match="10.9.0.5, 10.9.0.6"):
        resolve(["10.9.0.0/24"], ADDRESSES)


def test_two_links_over_one_address() -> None:
    with pytest.raises(WaitForOperator, match="the same"):
        resolve(["vmbr0", "192.0.2.0/24"], ADDRESSES)
