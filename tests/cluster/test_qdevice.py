"""A quorum device: corosync-qnetd of Debian on a machine that is no member.

Its package is fetched from where the node's packages came from.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from agent.cluster.view import read_device_votes
from agent.core.command import run
from tests.cluster.conftest import quorum_kept
from tests.cluster.laboratory import (
    Laboratory,
    configuration,
    finish,
    online,
    record,
    wait_online,
    why_not_quorate,
)
from tests.cluster.node import Node
from tests.cluster.tree import TOP, layers
from tests.lab.wait import until

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

UNIT = "corosync-qnetd.service"
DATABASE = "/etc/corosync/qdevice/net/nssdb"
VOTE_SECONDS = 120.0


@pytest.fixture(scope="module")
def server(lab: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """The device's server."""
    folder = tmp_path_factory.mktemp("qnetd")
    package = fetch("corosync-qnetd", folder)
    node = lab.machine(9)
    shutil.copy(package, node.root / "root/qnetd.deb")
    node.run(["dpkg", "--install", "/root/qnetd.deb"])
    node.run(["systemctl", "restart", UNIT])
    return node


def fetch(package: str, folder: Path) -> Path:
    """A package of the archive that the node's packages came from."""
    _, tree = layers()
    places = [f"Dir={tree}", f"Dir::State::status={tree}/var/lib/dpkg/status"]
    places += [f"Dir::Cache={folder}/cache", "APT::Sandbox::User=root"]
    options = [word for place in places for word in ("-o", place)]
    run(["apt-get", *options, "download", package], cwd=folder)
    (found,) = folder.glob("*.deb")
    return found


def certificates(server: Node) -> str:
    """What the server makes for the cluster, by the commands in the documentation."""
    text = (TOP / "docs/cluster.md").read_text().partition("## Quorum device\n")[2]
    commands = text.partition("```sh\n")[2].partition("```")[0]
    server.run(["bash", "-eu", "-c", commands])
    return server.run(["cat", "lab.pem"]).stdout


def device_votes(node: Node) -> bool | None:
    said = node.run(["corosync-quorumtool", "-s"], check=False).stdout
    return read_device_votes(said) or None


def silent(node: Node) -> bool | None:
    return None if device_votes(node) else True


def wait_for_vote(node: Node) -> None:
    until(lambda: device_votes(node), VOTE_SECONDS, "the device's vote", where=node.name)


def started(node: Node) -> str:
    """The number of the process corosync: another one after a restart."""
    return node.run(["systemctl", "show", "--value", "-p", "MainPID", "corosync"]).stdout


def add(node: Node, server: Node, text: str, *, status: int = 0) -> str:
    """Add the device, and what was said."""
    argv = ["slipway", "cluster", "qdevice", "add", server.addresses[0]]
    done = node.run(argv, input=text, check=False, timeout=900)
    assert done.status == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_server_that_is_down_is_refused(lab: Laboratory, first: Node, server: Node) -> None:
    text = certificates(server)
    server.run(["systemctl", "stop", UNIT])
    before = started(first)
    with quorum_kept(first):
        assert "does not answer" in add(first, server, text, status=1)
        assert "PEM are needed" in add(first, server, "", status=1)
    assert started(first) == before
    assert "device" not in configuration(first)
    server.run(["systemctl", "start", UNIT])


def test_two_members_get_a_device(lab: Laboratory, first: Node, server: Node) -> None:
    begin = time.monotonic()
    said = add(first, server, certificates(server))
    record(test="quorum device added", seconds=time.monotonic() - begin)
    assert f"quorum device: {server.addresses[0]} (ffsplit), votes" in said
    assert "1 of the 2 online nodes may fail now" in said
    for node in (first, lab.nodes[2]):
        wait_for_vote(node)
        assert "auto_tie_breaker: 1" not in configuration(node)
        assert "wait_for_all: 1" not in configuration(node)
        assert node.run(["systemctl", "is-enabled", "corosync-qdevice"]).stdout == "enabled\n"
    left = [path.name for path in (first.root / "var/lib/slipway/cluster").glob("qdevice*")]
    assert not left
    assert add(first, server, certificates(server))


def test_the_member_with_the_higher_id_goes_on_alone(
    lab: Laboratory, first: Node, server: Node
) -> None:
    second = lab.nodes[2]
    first.power_off()
    wait_online(second, {"node2"})
    assert why_not_quorate(second) is None
    first.boot()
    wait_online(second, {"node1", "node2"})
    wait_for_vote(first)


def test_a_node_that_joins_waits_for_the_device_and_gets_it(
    lab: Laboratory, first: Node, server: Node
) -> None:
    server.run(["systemctl", "stop", UNIT])
    for node in (first, lab.nodes[2]):
        until(lambda: silent(node), VOTE_SECONDS, "the device to be missed", where=node.name)
    assert "GIVES NO VOTE" in first.run(["slipway", "cluster", "status"]).stdout
    third = lab.machine(3)
    with quorum_kept(first):
        process = lab.start_join(third, lab.token(first, "--node", third.name))
        log = third.folder / "join.log"
        what = "the reason why it waits"
        until(lambda: "no vote now" in log.read_text() or None, 180, what, where=third.name)
        server.run(["systemctl", "start", UNIT])
        begin = time.monotonic()
        finish(process, third)
        record(test="join with a quorum device", seconds=time.monotonic() - begin)
    assert online(first) == {"node1", "node2", "node3"}
    wait_for_vote(third)
    assert third.run(["systemctl", "is-enabled", "corosync-qdevice"]).stdout == "enabled\n"
    assert "Cluster Cert" in third.run(["certutil", "-L", "-d", DATABASE]).stdout


def test_it_is_taken_away(lab: Laboratory, first: Node, server: Node) -> None:
    server.run(["systemctl", "stop", UNIT])
    done = first.run(["slipway", "cluster", "qdevice", "remove"], check=False, timeout=900)
    assert done.status == 0, done.stdout + done.stderr
    assert "quorum device" not in done.stdout
    for number in (1, 2, 3):
        node = lab.nodes[number]
        assert "auto_tie_breaker: 1" in configuration(node)
        assert "wait_for_all: 1" in configuration(node)
        state = node.run(["systemctl", "is-active", "corosync-qdevice"], check=False).stdout
        assert state == "inactive\n"
        assert not (node.root / DATABASE.lstrip("/")).exists()
    assert why_not_quorate(first) is None
