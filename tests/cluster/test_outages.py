"""What docs/cluster.md promises of clusters of two and three that lose a link, a node, or all."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from tests.cluster.conftest import quorum_kept
from tests.cluster.laboratory import Laboratory, record, wait_online, why_not_quorate
from tests.cluster.node import Node
from tests.lab.wait import until

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

START_SECONDS = 300.0


def status(node: Node) -> dict[str, Any]:
    """What the node says of the cluster; its exit status is about quorum."""
    said = node.run(["slipway", "cluster", "status", "--json"], check=False).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def lost_links(node: Node) -> dict[str, list[int]]:
    """Links that the node says are down, by the members at their other ends."""
    members = status(node)["members"]
    return {each["name"]: each["lost_links"] for each in members if each["lost_links"]}


def wait_for_links(node: Node, wanted: dict[str, list[int]]) -> None:
    what = f"lost links to be {wanted}"
    until(lambda: lost_links(node) == wanted or None, START_SECONDS, what, where=node.name)


def wait_for_quorum(nodes: Sequence[Node]) -> None:
    def quorate() -> bool | None:
        return all(why_not_quorate(node) is None for node in nodes) or None

    until(quorate, START_SECONDS, "quorum", where=", ".join(node.name for node in nodes))


def wait_for_pacemaker_without_quorum(node: Node, missing: str) -> None:
    """The node has started, waits, and names who is missing and what can be done."""

    def waits() -> bool | None:
        found = status(node)
        reason = str(found["why_off"])
        named = f"quorum, {missing} is missing" in reason
        return (found["running"] and not found["quorum"]["quorate"] and named) or None

    until(waits, START_SECONDS, f"the node to wait for {missing}", where=node.name)


def test_two_nodes_and_the_loss_of_each(lab: Laboratory) -> None:
    """Without a third vote the node with the lower number goes on alone, the other does not."""
    first = lab.create(1)
    second = lab.add(2, first)
    with quorum_kept(first):
        second.power_off()
        wait_online(first, {first.name})
        assert status(first)["quorum"]["may_fail"] == 0
        second.boot()
        wait_online(first, {first.name, second.name})
    first.power_off()
    what = "the second node to be without quorum"
    until(lambda: why_not_quorate(second), START_SECONDS, what, where=second.name)
    first.boot()
    wait_for_quorum((first, second))
    wait_online(second, {first.name, second.name})


def test_one_link_of_two_is_lost_and_named(lab: Laboratory) -> None:
    first, second = lab.nodes[1], lab.nodes[2]
    third = lab.add(3, first)
    names = {first.name, second.name, third.name}
    with ExitStack() as watched:
        for node in lab.nodes.values():
            watched.enter_context(quorum_kept(node))
        lab.switch.cut(third.number, connected=False, links=(0,))
        begin = time.monotonic()
        wait_for_links(first, {third.name: [0]})
        record(test="lost link named", seconds=time.monotonic() - begin)
        wait_for_links(third, {first.name: [0], second.name: [0]})
        wait_online(first, names)
        lab.switch.cut(third.number, connected=True, links=(0,))
        wait_for_links(first, {})


def test_a_node_in_standby_keeps_its_vote(lab: Laboratory) -> None:
    first, second, third = (lab.nodes[number] for number in (1, 2, 3))
    first.run(["pcs", "node", "standby", third.name])
    with quorum_kept(first):
        second.power_off()
        wait_online(first, {first.name, third.name})
        second.boot()
        wait_online(first, {first.name, second.name, third.name})
    first.run(["pcs", "node", "unstandby", third.name])


def test_the_whole_cluster_loses_power(lab: Laboratory) -> None:
    """All come back by themselves; while one is missing, the others wait and name it."""
    first, second, third = nodes = tuple(lab.nodes[number] for number in (1, 2, 3))
    for node in nodes:
        node.power_off()
    begin = time.monotonic()
    first.boot()
    second.boot()
    for node in (first, second):
        wait_for_pacemaker_without_quorum(node, third.name)
    assert "pcs quorum unblock" in status(first)["why_off"]
    third.boot()
    wait_for_quorum(nodes)
    wait_online(first, {node.name for node in nodes})
    record(test="cold start of three", seconds=time.monotonic() - begin)


def test_a_cold_start_goes_on_without_a_node_that_is_certainly_off(lab: Laboratory) -> None:
    first, second, third = nodes = tuple(lab.nodes[number] for number in (1, 2, 3))
    for node in nodes:
        node.power_off()
    first.boot()
    second.boot()
    for node in (first, second):
        wait_for_pacemaker_without_quorum(node, third.name)
    first.run(["pcs", "quorum", "unblock", "--force"])
    wait_for_quorum((first, second))
    third.boot()
    wait_online(first, {node.name for node in nodes})
