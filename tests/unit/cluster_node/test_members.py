"""What a node keeps about the other members: /etc/hosts and the firewall."""

from __future__ import annotations

import itertools
from ipaddress import ip_interface, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cluster import configuration, firewall, hosts, members
from agent.cluster.configuration import Configuration, Node
from agent.step import Retry

OWN = "127.0.0.1 localhost\n192.0.2.1 node1.example.com node1\n"
NAMES = ("node1", "node2", "node3")
MEMBERS = {"node1": ("192.0.2.1",), "node2": ("192.0.2.2", "10.9.0.2"), "node3": ("2001:db8::3",)}


def configured(*names: str) -> Configuration:
    nodes = (Node(name=name, nodeid=n, addrs=()) for n, name in enumerate(names, 1))
    return Configuration(cluster_name="lab", nodes=tuple(nodes))


def test_the_others_have_a_line_each() -> None:
    made = hosts.with_members(OWN, MEMBERS, "node1")
    assert made.startswith(OWN)
    assert made.splitlines()[2:] == [
        hosts.BEGIN,
        "192.0.2.2 node2",
        "127.0.0.1 node2.tunnel",
        "2001:db8::3 node3",
        "127.0.0.1 node3.tunnel",
        hosts.END,
    ]


def test_who_is_removed_disappears_and_the_rest_stays() -> None:
    full = hosts.with_members(OWN + "192.0.2.99 printer\n", MEMBERS, "node1")
    less = hosts.with_members(full, {"node1": ("192.0.2.1",)}, "node1")
    assert less == OWN + "192.0.2.99 printer\n"


LINE = st.text(alphabet="abc 0123456789.#", max_size=20)


@given(st.lists(LINE), st.dictionaries(st.sampled_from(["a", "b", "c"]), st.just(("192.0.2.9",))))
def test_repeating_changes_nothing(lines: list[str], members: dict[str, tuple[str]]) -> None:
    once = hosts.with_members("".join(line + "\n" for line in lines), members, "a")
    assert hosts.with_members(once, members, "a") == once
    assert [line for line in once.splitlines() if line in lines] == lines


def test_the_file_is_written_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text(OWN)
    assert hosts.update(MEMBERS, "node1", path)
    assert not hosts.update(MEMBERS, "node1", path)


def test_the_networks_of_the_links_and_members_behind_routers() -> None:
    addresses = {
        "vmbr0": [ip_interface("192.0.2.1/24")],
        "eno9": [ip_interface("198.51.100.1/24")],
    }
    everyone = ["192.0.2.1", "192.0.2.2", "203.0.113.7", "2001:db8::3"]
    allowed = firewall.networks(["192.0.2.1"], addresses, everyone)
    assert allowed == (
        ip_network("192.0.2.0/24"),
        ip_network("203.0.113.7/32"),
        ip_network("2001:db8::3/128"),
    )


def test_the_rules_touch_no_other_table(tmp_path: Path) -> None:
    path = tmp_path / "cluster.nft"
    allowed = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/64"))
    assert firewall.update(allowed, path)
    assert not firewall.update(allowed, path)
    text = path.read_text()
    assert "flush ruleset" not in text
    tables = [line.split()[-2:] for line in text.splitlines() if "table" in line]
    assert all("slipway_cluster" in words for words in tables)
    assert "ip saddr { 192.0.2.0/24 } return" in text
    assert "ip6 saddr { 2001:db8::/64 } return" in text


def test_without_ipv6_there_is_no_empty_set() -> None:
    assert "ip6" not in firewall.text((ip_network("192.0.2.0/24"),))


def test_it_looks_again_until_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """node3 comes while the names of node2 are written."""
    two, three = (configured(*NAMES[:count]) for count in (2, 3))
    read = iter((two, three, three))
    taken: list[int] = []
    monkeypatch.setattr(configuration, "read", lambda: next(read))
    monkeypatch.setattr(members, "_take_over", lambda made, _: taken.append(len(made.nodes)))
    members.refresh()
    assert taken == [2, 3]


def test_it_ends_when_members_change_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    read = itertools.cycle((configured("node1"), configured("node2")))
    monkeypatch.setattr(configuration, "read", lambda: next(read))
    monkeypatch.setattr(members, "_take_over", lambda *_: None)
    with pytest.raises(Retry, match="all the time"):
        members.refresh()
