"""A kit's cluster forms, one node joins, one is refused: the part that every change must pass."""

from __future__ import annotations

import datetime
import time

import pytest

from agent.cluster import kit
from agent.cluster.token import Token
from tests.cluster.laboratory import Laboratory, node_ids, online, record, why_not_quorate
from tests.cluster.node import Node

pytestmark = pytest.mark.lab


def test_a_kit_makes_a_cluster(lab: Laboratory) -> None:
    names = ("node1", "node2", "node3")
    addresses = {name: lab.switch.address(n, 0) for n, name in enumerate(names, 1)}
    made = kit.make("lab", names, addresses, datetime.datetime.now(datetime.UTC))
    begin = time.monotonic()
    first = lab.create(1, made["node1"].table())
    created = time.monotonic()
    second = lab.machine(2)
    ticket = made["node2"]
    assert isinstance(ticket, kit.Join)
    refused(lab, second, ticket.token)
    # A guess has not burnt the token.
    begin_join = time.monotonic()
    done = lab.join(second, ticket.token.encode())
    assert done.status == 0, done.stdout + done.stderr
    joined = time.monotonic()
    record(test="form", create=created - begin, join=joined - begin_join)
    assert online(first) == {"node1", "node2"} == online(second)
    assert why_not_quorate(first) is None is why_not_quorate(second)
    assert sorted(node_ids(second)) == [1, 2]
    # Nothing of the token is left on the node that used it.
    assert not (second.root / "var/lib/slipway/cluster/join.json").exists()


def refused(lab: Laboratory, node: Node, token: Token) -> None:
    done = lab.join(node, token.model_copy(update={"secret": "x" * 43}).encode())
    assert done.status == 1
    assert "refuses: the token is refused" in done.stderr
    assert "slipway token create" in done.stderr
    assert not (node.root / "etc/corosync/corosync.conf").exists()
