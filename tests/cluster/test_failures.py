"""What may happen while nodes join: each ends in a joined node, and quorum is never lost."""

from __future__ import annotations

import time

import pytest

from agent.cluster.folder import Folder
from agent.cluster.token import Token
from tests.cluster.conftest import members, quorum_kept
from tests.cluster.laboratory import (
    Laboratory,
    finish,
    leader,
    node_ids,
    online,
    record,
    wait_online,
)
from tests.cluster.network import LINKS
from tests.cluster.node import Node
from tests.lab.wait import until

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

STATE = "var/lib/slipway/cluster"
DOWN_SECONDS = 600.0
# What each step of a join leaves (agent.cluster.join), in their order.
BOUNDARIES = (
    f"{STATE}/join.json",
    f"{STATE}/node.key",
    f"{STATE}/authority.crt",
    f"{STATE}/node.crt",
    f"{STATE}/pcsd-token",
    "etc/corosync/authkey",
    "etc/corosync/corosync.conf",
    "var/lib/pacemaker/cib/cib.xml",
    f"{STATE}/member",
)


def leave(lab: Laboratory, member: Node, node: Node) -> None:
    """Take a node out of the cluster and throw the machine away."""
    member.run(["pcs", "cluster", "node", "remove", node.name, "--force"])
    node.remove()
    del lab.nodes[node.number]


def test_two_at_the_same_instant(lab: Laboratory, first: Node) -> None:
    nodes = [lab.machine(number) for number in (3, 4)]
    tokens = [lab.token(first, "--node", node.name) for node in nodes]
    with quorum_kept(first):
        begin = time.monotonic()
        joining = [lab.start_join(*pair) for pair in zip(nodes, tokens, strict=True)]
        for process, node in zip(joining, nodes, strict=True):
            finish(process, node)
        record(test="two at once", seconds=time.monotonic() - begin)
    assert online(first) == {"node1", "node2", "node3", "node4"}
    for node in (first, *nodes):
        assert sorted(node_ids(node)) == [1, 2, 3, 4]
    leave(lab, first, nodes[1])


def test_workers_of_pcsd_that_have_stopped_go_on(lab: Laboratory, first: Node) -> None:
    """As after a race in pcsd; a token is made with what pcsd says of the members."""
    first.run(["pkill", "--signal", "STOP", "--full", "multiprocessing.forkserver"])
    begin = time.monotonic()
    token_id = Token.decode(lab.token(first)).id
    record(test="pcsd's workers stopped", seconds=time.monotonic() - begin)
    first.run(["slipway", "token", "revoke", token_id])


@pytest.mark.parametrize("boundary", range(len(BOUNDARIES)))
def test_the_joiner_loses_power(lab: Laboratory, first: Node, boundary: int) -> None:
    before = online(first)
    node = lab.machine(10 + boundary)
    token = lab.token(first, "--node", node.name)
    with quorum_kept(first):
        process = lab.start_join(node, token)
        written = node.root / BOUNDARIES[boundary]
        until(lambda: written.exists() or None, 120, str(written), where=node.name, interval=0.01)
        node.power_off()
        process.wait(timeout=60)
        begin = time.monotonic()
        node.boot()
        # Where the power went before the token was kept, it has to be given once more.
        again = "" if Folder(node.root / STATE).request.exists() else token
        done = lab.join(node, again)
        joined = done.status == 0 or "is a member of a cluster already" in done.stderr
        assert joined, done.stdout + done.stderr
        wait_online(first, {*before, node.name})
        record(test="power", boundary=BOUNDARIES[boundary], seconds=time.monotonic() - begin)
    ids = node_ids(first)
    assert len(ids) == len(set(ids)) == len(before) + 1
    leave(lab, first, node)


def test_cables_that_lose_one_in_a_hundred_and_take_10_to_20_ms(
    lab: Laboratory, first: Node
) -> None:
    node = lab.machine(6)
    for each in lab.nodes.values():
        for link in range(LINKS):
            each.run(["ethtool", "-K", f"eth{link}", "tx", "off", "tso", "off", "gso", "off"])
    with lab.switch.bad_cables(node.number, 10, 20, 0.01):
        pings = node.run(["ping", "-c", "20", "-i", "0.1", "-q", first.addresses[0]], check=False)
        least = float(pings.stdout.rpartition("= ")[2].split("/")[0])
        assert least >= 20, pings.stdout
        with quorum_kept(first):
            begin = time.monotonic()
            done = lab.join(node, lab.token(first, "--node", node.name))
            assert done.status == 0, done.stdout + done.stderr
            record(test="bad cables", seconds=time.monotonic() - begin)


def test_the_first_node_is_down_for_ten_minutes(lab: Laboratory, first: Node) -> None:
    members(lab, first, 3)
    second = lab.nodes[2]
    before = online(first)
    node = lab.machine(4)
    token = lab.token(second, "--node", node.name)
    first.power_off()
    with quorum_kept(second):
        process = lab.start_join(node, token)
        log = node.folder / "join.log"
        what = "the reason why it waits"
        until(lambda: "node1" in log.read_text() or None, 120, what, where=node.name)
        end = time.monotonic() + DOWN_SECONDS
        passed = "ten minutes to pass"
        until(lambda: time.monotonic() > end or None, 2 * DOWN_SECONDS, passed, where=first.name)
        assert process.poll() is None
        begin = time.monotonic()
        first.boot()
        finish(process, node)
        record(test="first down ten minutes", seconds=time.monotonic() - begin)
    wait_online(second, {*before, node.name})
    leave(lab, first, node)


def test_the_member_that_adds_dies(lab: Laboratory, first: Node) -> None:
    members(lab, first, 3)
    before = online(first)
    name = leader(first)
    leading = next(node for node in lab.nodes.values() if node.name == name)
    other = next(node for node in lab.nodes.values() if node.name != name and node.number < 5)
    node = lab.machine(5)
    token = lab.token(first, "--node", node.name)
    with quorum_kept(other):
        process = lab.start_join(node, token)
        key = node.root / "etc/corosync/authkey"
        until(lambda: key.exists() or None, 120, str(key), where=node.name, interval=0.01)
        leading.power_off()
        begin = time.monotonic()
        leading.boot()
        finish(process, node)
        record(test="adding member died", seconds=time.monotonic() - begin)
    wait_online(other, {*before, node.name})
    ids = node_ids(other)
    assert len(ids) == len(set(ids)) == len(before) + 1
