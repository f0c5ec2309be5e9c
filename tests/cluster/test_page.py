"""The cluster's page in a real browser, at real Cockpit, on three members, while one dies.

Screenshots are kept in out/cluster-page.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from selenium.webdriver.common.keys import Keys

from tests.cluster.cockpit import PHONE, Cockpit, browsing
from tests.cluster.conftest import quorum_kept
from tests.cluster.laboratory import Laboratory, record, wait_online
from tests.cluster.node import Node
from tests.cluster.person import cable, open_page
from tests.cluster.test_guests import define, definition
from tests.cluster.tree import TOP

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

SCREENSHOTS = TOP / "out/cluster-page"
MARK = "document.getElementById('node-node1').marked = true"
MARKED = "return document.getElementById('node-node1').marked === true"
# Fencing is off, as a namespace has no watchdog: Pacemaker would fence it first.
DEAD = "to be fenced"
FOCUSED = "return document.activeElement.id"


@dataclass(frozen=True)
class Cluster:
    """Three members, each with a machine, and the page of the first."""

    members: tuple[Node, Node, Node]
    page: Cockpit


@pytest.fixture(scope="module")
def cluster(lab: Laboratory) -> Iterator[Cluster]:
    first = lab.create(1)
    members = (first, lab.add(2, first), lab.add(3, first))
    wait_online(first, {node.name for node in members})
    for node, name in zip(members, ("web", "db", "mail"), strict=True):
        node.run(["systemctl", "enable", "--now", "libvirtd.service"])
        define(node, definition(64, name=name))
        node.run(["virsh", "start", name])
        node.run(["systemctl", "start", "--no-block", "slipway-agent.service"])
        open_page(node)
    with cable(lab.switch), browsing(members[0].addresses[0], SCREENSHOTS) as page:
        page.sign_in()
        yield Cluster(members, page)


def test_every_node_is_shown_with_what_only_it_knows(cluster: Cluster) -> None:
    page = cluster.page
    for number, guest in enumerate(("web", "db", "mail"), 1):
        page.shows(f"node-node{number}", "online")
        page.shows(f"node-node{number}", "now")
        page.shows(f"machine-{guest}", f"node{number}")
        page.shows(f"machine-{guest}", "running")
        page.shows(f"storages-node{number}", "local")
        page.shows(f"steps-node{number}", f"node{number}:")
    page.shows("title", "Cluster lab")
    page.shows("cluster", "quorate")
    page.shows("cluster", "1 node")
    page.shows("cluster", "HA")
    page.shows("problems", "HA is off")
    page.shows("problems", "slipway ha enable")
    # What is under nobody's hand here is done on its own node's page.
    assert not page.has("machine-db-stop")
    page.screenshot("light")
    assert page.complaints() == []


def test_it_is_asked_before_something_stops(cluster: Cluster) -> None:
    page, first = cluster.page, cluster.members[0]
    # With the keyboard alone.
    page.run("document.getElementById('machine-web-stop').focus()")
    page.keys(Keys.ENTER)
    page.wait(lambda: page.has("dialog-title"), "the question")
    page.screenshot("question")
    page.keys(Keys.ESCAPE)
    page.wait(lambda: not page.has("dialog-title"), "the question to go")
    assert page.run(FOCUSED) == "machine-web-stop"
    assert "running" in first.run(["virsh", "domstate", "web"]).stdout
    page.keys(Keys.ENTER)
    page.wait(lambda: page.has("dialog-title"), "the question")
    page.run("document.querySelector('dialog [name=force]').click()")
    page.click("dialog-yes")
    page.shows("machine-web", "stopped")
    assert "shut off" in first.run(["virsh", "domstate", "web"]).stdout
    page.click("machine-web-start")
    page.shows("machine-web", "running")
    assert page.complaints() == []


def test_an_error_is_shown_where_it_happened(cluster: Cluster) -> None:
    page, first = cluster.page, cluster.members[0]
    define(first, definition(64, name="gone"))
    page.shows("machine-gone", "stopped")
    # Nobody has told the page yet.
    first.run(["virsh", "undefine", "gone"])
    page.click("machine-gone-start")
    page.shows("guests", "there is no machine gone on this node")
    assert page.complaints() == []


def test_nothing_is_made_anew_that_stays(cluster: Cluster) -> None:
    page, first = cluster.page, cluster.members[0]
    page.run(MARK)
    page.run("document.getElementById('steps-node2').open = true")
    page.run("document.getElementById('machine-web-stop').focus()")
    define(first, definition(64, name="another"))
    page.shows("machine-another", "stopped")
    assert page.run(MARKED) is True
    assert page.run("return document.getElementById('steps-node2').open") is True
    assert page.run(FOCUSED) == "machine-web-stop"
    first.run(["virsh", "undefine", "another"])


def test_dark_and_on_a_phone(cluster: Cluster) -> None:
    page = cluster.page
    page.dark(on=True)
    page.screenshot("dark")
    page.size(*PHONE)
    page.wait(page.fits, "the page to fit a phone")
    page.screenshot("phone")
    page.size(1280, 1400)
    page.dark(on=False)
    assert page.complaints() == []


def test_a_node_dies_and_the_page_lives(cluster: Cluster) -> None:
    page, (first, second, third) = cluster.page, cluster.members
    begin = time.monotonic()
    with quorum_kept(first):
        third.power_off()
        page.shows("node-node3", DEAD)
        record(test="page: a dead node is offline", seconds=time.monotonic() - begin)
        page.shows("problems", f"node3 is {DEAD}")
        page.shows("problems", "no node may fail now")
        page.shows("cluster", "2 of 3")
        page.shows("node-node3", "ago")
        page.shows("machine-mail", "unknown")
        # The other rows go on.
        second.run(["virsh", "destroy", "db"])
        begin = time.monotonic()
        page.shows("machine-db", "stopped")
        record(test="page: a guest stops elsewhere meanwhile", seconds=time.monotonic() - begin)
        page.screenshot("node-died")
        with browsing(second.addresses[0], SCREENSHOTS) as other:
            other.sign_in()
            other.shows("node-node3", DEAD)
            other.shows("machine-web", "running")
            other.shows("machine-mail", "node3")
            assert other.complaints() == []
    assert page.complaints() == []


def test_it_comes_back(cluster: Cluster) -> None:
    page, (first, _, third) = cluster.page, cluster.members
    third.boot()
    wait_online(first, {"node1", "node2", "node3"})
    page.shows("node-node3", "online")
    page.shows("node-node3", "now")
    page.wait(lambda: f"node3 is {DEAD}" not in page.text("problems"), "the problem to go")
    assert page.complaints() == []
