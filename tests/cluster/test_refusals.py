"""Who is not let in is told why, and a member that goes leaves nothing that opens anything."""

from __future__ import annotations

import datetime
import shutil

import pytest

from agent.cluster import authority
from agent.cluster.authority import Authority
from agent.cluster.folder import Folder
from agent.cluster.token import Token
from tests.cluster.conftest import members, quorum_kept
from tests.cluster.laboratory import Laboratory, online, wait_online
from tests.cluster.node import Node
from tests.lab.wait import until

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

STATE = "var/lib/slipway/cluster"
DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def third(lab: Laboratory) -> Node:
    """A machine that is not a member."""
    return lab.machine(3)


def refused(lab: Laboratory, node: Node, token: Token | str) -> str:
    """Why a node is not let in."""
    word = token if isinstance(token, str) else token.encode()
    done = lab.join(node, word)
    assert done.status == 1, done.stdout
    assert not (node.root / "etc/corosync/corosync.conf").exists()
    return done.stderr


def test_wrong_expired_revoked_and_foreign_tokens(
    lab: Laboratory, first: Node, third: Node
) -> None:
    good = Token.decode(lab.token(first, "--node", "node3"))
    with quorum_kept(first):
        assert "is refused" in refused(lab, third, good.model_copy(update={"secret": "x" * 43}))
        assert "is refused" in refused(lab, third, good.model_copy(update={"id": "0" * 16}))
        expired = good.model_copy(update={"expires": 1})
        assert "the token has expired" in refused(lab, third, expired)
        assert "not a join token" in refused(lab, third, "rubbish")
        other = lab.token(first, "--node", "node9")
        assert "the token is for node9, and this is node3" in refused(lab, third, other)
        # Also where the token's own word is changed, the members' record counts.
        forged = Token.decode(other).model_copy(update={"node": "node3"})
        assert "is refused" in refused(lab, third, forged)
        first.run(["slipway", "token", "revoke", good.id])
        assert "is refused" in refused(lab, third, good)
    assert good.id not in first.run(["slipway", "token", "list"]).stdout


def test_a_name_that_is_a_member(lab: Laboratory, first: Node, third: Node) -> None:
    done = first.run(["slipway", "token", "create", "--node", "node2"], check=False)
    assert done.status == 1 and "node2 is a member already" in done.stderr
    for_any = lab.token(first)
    third.run(["sed", "-i", "s/node3/node2/", "/etc/slipway/node.toml"])
    assert "node2 is a member already" in refused(lab, third, for_any)
    third.run(["sed", "-i", "s/node2/node3/", "/etc/slipway/node.toml"])


def test_an_impostor(lab: Laboratory, first: Node, third: Node) -> None:
    """A server of another cluster at a member's address: it is not told anything."""
    impostor = lab.create(8)
    token = Token.decode(lab.token(first, "--node", "node3"))
    place = f"{impostor.addresses[0]}:2226"
    process = lab.start_join(third, token.model_copy(update={"members": (place,)}).encode())
    log = third.folder / "join.log"
    what = "the impostor to be noticed"
    until(lambda: "another cluster" in log.read_text() or None, 60, what, where=third.name)
    assert "nothing was sent to it" in log.read_text()
    lab.stop_join(third, process)
    heard = impostor.run(["journalctl", "--boot", "--no-pager", "--grep", "node3"], check=False)
    assert "node3" not in heard.stdout
    impostor.remove()
    del lab.nodes[8]


def test_a_clock_that_is_a_day_off(lab: Laboratory, first: Node, third: Node) -> None:
    """Members whose certificate begins tomorrow, as a node sees them whose clock is slow."""
    token = lab.token(first, "--node", "node3")
    kept = []
    for member in (first, lab.nodes[2]):
        folder = Folder(member.root / STATE)
        own = Authority.load((first.root / STATE / "authority.pem").read_text())
        key = authority.load_key(folder.key.read_text()).public_key()
        tomorrow = datetime.datetime.now(datetime.UTC) + DAY
        made = own.sign(key, member.name, member.addresses, tomorrow)
        kept.append((member, folder.certificate.read_text()))
        folder.certificate.write_text(authority.pem(made))
        member.run(["systemctl", "restart", "slipway-enrolment.service"])
    process = lab.start_join(third, token)
    log = third.folder / "join.log"
    what = "the clock to be named"
    until(lambda: "a clock is wrong" in log.read_text() or None, 60, what, where=third.name)
    for member, text in kept:
        (member.root / STATE / "node.crt").write_text(text)
        member.run(["systemctl", "restart", "slipway-enrolment.service"])
    assert process.wait(timeout=300) == 0, log.read_text()
    assert online(first) == {"node1", "node2", "node3"}


def test_a_token_that_was_used(lab: Laboratory, first: Node) -> None:
    node = lab.machine(4)
    token = lab.token(first)
    done = lab.join(node, token)
    assert done.status == 0, done.stdout + done.stderr
    thief = lab.machine(5)
    assert "is refused" in refused(lab, thief, token)
    thief.remove()
    del lab.nodes[5]


def test_the_same_machine_installed_anew(lab: Laboratory, first: Node) -> None:
    lab.nodes[4].remove()
    names = {"node1", "node2", "node3"}
    wait_online(first, names)
    node = lab.machine(4)
    plain = lab.token(first)
    assert "node4 is a member already" in refused(lab, node, plain)
    with quorum_kept(first):
        done = lab.join(node, lab.token(first, "--node", "node4", "--replace"))
        assert done.status == 0, done.stdout + done.stderr
    wait_online(first, {*names, "node4"})


def test_a_removed_node_opens_nothing(lab: Laboratory, first: Node) -> None:
    _, gone = members(lab, first, 3, 4)
    stolen = gone.folder / "stolen"
    shutil.copytree(gone.root / STATE, stolen)
    key = (first.root / "etc/corosync/authkey").read_bytes()
    old_token = (first.root / STATE / "pcsd-token").read_text()
    with quorum_kept(first):
        first.run(["slipway", "cluster", "remove", "node4"])
        for member in (first, lab.nodes[2], lab.nodes[3]):
            wait_for_rotation(member)
    assert (first.root / "etc/corosync/authkey").read_bytes() != key
    assert (first.root / STATE / "pcsd-token").read_text() != old_token
    assert old_token not in (first.root / "var/lib/pcsd/pcs_users.conf").read_text()
    wait_online(first, {"node1", "node2", "node3"})
    # The members still reach each other, with the new tokens; it is cut off by TLS itself.
    assert "Online" in first.run(["pcs", "status", "pcsd"]).stdout
    shutil.copytree(stolen, gone.root / "root/stolen")
    for port in ("2224", "2226"):
        assert handshake(gone, f"{first.addresses[0]}:{port}") != 0
    fresh = lab.nodes[3]
    shutil.copytree(fresh.root / STATE, fresh.root / "root/stolen")
    assert handshake(fresh, f"{first.addresses[0]}:2226") == 0


def wait_for_rotation(member: Node) -> None:
    """Wait until a member has taken its part in the renewal of keys."""
    done = member.root / STATE / "rotation"
    until(lambda: done.exists() or None, 180, "keys to be renewed", where=member.name)
    crl = member.root / STATE / "revoked.crl"
    what = "the list of revoked certificates"
    until(lambda: crl.stat().st_size or None, 180, what, where=member.name)


def handshake(node: Node, place: str) -> int:
    """Whether a request with the node's old certificate gets an answer: 0, or curl's error."""
    files = ["--cert", "/root/stolen/node.crt", "--key", "/root/stolen/node.key"]
    argv = ["curl", "--silent", "--insecure", "--max-time", "10", *files, f"https://{place}/v1/ca"]
    return node.run(argv, check=False).status


def test_a_certificate_is_renewed_in_time(lab: Laboratory, first: Node) -> None:
    (member,) = members(lab, first, 3)
    folder = Folder(member.root / STATE)
    own = Authority.load((first.root / STATE / "authority.pem").read_text())
    key = authority.load_key(folder.key.read_text()).public_key()
    long_ago = datetime.datetime.now(datetime.UTC) - 700 * DAY
    old = own.sign(key, member.name, member.addresses, long_ago)
    folder.certificate.write_text(authority.pem(old))
    member.run(["slipway", "certificates", "refresh"])
    renewed = authority.load_certificate(folder.certificate.read_text())
    assert renewed.not_valid_after_utc > old.not_valid_after_utc
    assert renewed.public_key() == key
    assert authority.node_addresses(renewed) == member.addresses
    # The tunnel was started anew with it.
    argv = ["pcs", "status", "pcsd"]
    what = "pcsd of all members to be reached"
    until(lambda: first.run(argv, check=False).status == 0 or None, 60, what, where=first.name)
