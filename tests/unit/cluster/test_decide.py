"""What is answered to a node that wants to join."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.cluster import authority, records, token
from agent.cluster.enrolment import decide
from agent.cluster.enrolment.messages import Answer, Enrol
from agent.cluster.records import Enrolment, Records
from agent.cluster.view import View, read_device_votes, read_state
from tests.unit.cluster.shared import Memory

NOW = 1_800_000_000
KEY = authority.new_key().public_key()
MADE = token.issue(["192.0.2.1:2226"], "ab" * 32, NOW + 60, "node3")
MEMBERS = {"node1": ("192.0.2.1", "198.51.100.1"), "node2": ("192.0.2.2", "198.51.100.2")}
VIEW = View("node1", True, "node1", frozenset(MEMBERS), MEMBERS)
REQUEST = Enrol(
    id=MADE.id,
    secret=MADE.secret,
    node="node3",
    addresses=["192.0.2.3", "198.51.100.3"],
    key=authority.public_pem(KEY),
)


def known(*, replace_member: bool = False, **texts: str) -> Records:
    record = str(MADE.record(replace=replace_member))
    return Records({f"token-{MADE.id}": record, "signer-node1": "yes", **texts})


def answer(view: View, request: Enrol, now: float = NOW, *, replaces: bool = False) -> object:
    return decide.enrol(view, known(replace_member=replaces), request, now)


def test_a_good_token_is_bound_to_the_nodes_key() -> None:
    made = answer(VIEW, REQUEST)
    assert isinstance(made, Enrolment)
    assert (made.node, made.key_digest) == ("node3", authority.key_digest(KEY))
    assert made.expires == NOW + records.OPEN_SECONDS


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({"secret": "x" * 43}, NOW),
        ({"id": "0" * 16}, NOW),
        ({"node": "node4"}, NOW),
        ({}, NOW + 60),
    ],
    ids=["wrong secret", "unknown or revoked", "another name", "expired"],
)
def test_every_refusal_is_the_same(change: dict[str, str], now: float) -> None:
    assert answer(VIEW, REQUEST.model_copy(update=change), now) == decide.REFUSED


def test_a_name_that_is_a_member_is_told_only_with_a_good_token() -> None:
    view = replace(VIEW, members={**MEMBERS, "node3": ("192.0.2.9", "198.51.100.9")})
    made = answer(view, REQUEST)
    assert isinstance(made, Answer) and made.status == 409
    assert answer(view, REQUEST.model_copy(update={"secret": "x" * 43})) == decide.REFUSED


@pytest.mark.parametrize(("online", "allowed"), [(False, True), (True, False)])
def test_only_a_member_that_is_off_can_be_replaced(online: bool, allowed: bool) -> None:
    members = {**MEMBERS, "node3": ("192.0.2.3", "198.51.100.3")}
    here = frozenset(members if online else MEMBERS)
    made = answer(replace(VIEW, members=members, online=here), REQUEST, replaces=True)
    assert isinstance(made, Enrolment) is allowed


@pytest.mark.parametrize("addresses", [["192.0.2.3"], ["192.0.2.1", "198.51.100.3"]])
def test_addresses_must_be_free_and_one_for_each_link(addresses: list[str]) -> None:
    made = answer(VIEW, REQUEST.model_copy(update={"addresses": addresses}))
    assert isinstance(made, Answer) and made.status == 409


def test_without_quorum_nothing_is_done() -> None:
    view = replace(VIEW, quorate=False)
    for made in (decide.may_sign(view, known()), decide.may_add(view)):
        assert made is not None and made.status == 503


def test_a_member_that_does_not_sign_sends_to_one_that_does() -> None:
    made = decide.may_sign(replace(VIEW, own="node2"), known())
    assert made is not None and (made.status, made.leader) == (421, "192.0.2.1:2226")
    gone = replace(VIEW, own="node2", online=frozenset({"node2"}))
    made = decide.may_sign(gone, known())
    assert made is not None and made.status == 503 and "node1" in (made.error or "")


def test_only_the_controller_adds() -> None:
    assert decide.may_add(VIEW) is None
    made = decide.may_add(replace(VIEW, leader="node2"))
    assert made is not None and (made.status, made.leader) == (421, "192.0.2.2:2226")
    made = decide.may_add(replace(VIEW, leader=None))
    assert made is not None and made.status == 503


def test_nobody_is_added_while_the_quorum_device_is_silent() -> None:
    made = decide.may_add(replace(VIEW, device="q.example.org"))
    assert made is not None and made.status == 503 and "q.example.org" in (made.error or "")
    assert decide.may_add(replace(VIEW, device="q.example.org", device_votes=True)) is None


@pytest.mark.parametrize(
    ("row", "votes"),
    [
        ("         0          1            Qdevice", True),
        ("         0          0            Qdevice (votes 1)", False),
        ("         2          1    A,V,NMW node2", False),
    ],
)
def test_whether_the_device_votes(row: str, votes: bool) -> None:
    """Rows as corosync-quorumtool 3.1.9 prints them."""
    head = "Flags:            Quorate Qdevice\n\n    Nodeid      Votes    Qdevice Name\n"
    assert (
        read_device_votes(f"{head}         1          1    A,V,NMW node1 (local)\n{row}\n") is votes
    )


def opened() -> Records:
    shared = Memory()
    mark = Enrolment("node3", authority.key_digest(KEY), NOW + 100, False)
    records.consume(shared, MADE.id, mark)
    return Records(shared.texts())


def test_a_node_is_added_once_its_enrolment_is_open() -> None:
    digest = authority.key_digest(KEY)
    assert decide.ready(VIEW, opened(), MADE.id, "node3", digest) is True
    for other in (
        (MADE.id, "node3", "0" * 64),
        (MADE.id, "node4", digest),
        ("0" * 16, "node3", digest),
    ):
        made = decide.ready(VIEW, opened(), *other)
        assert isinstance(made, Answer) and made.status == 403


def test_a_member_that_asks_again_is_told_it_is_one() -> None:
    members = {**MEMBERS, "node3": ("192.0.2.3", "198.51.100.3")}
    view = replace(VIEW, members=members, online=frozenset(members))
    assert decide.ready(view, Records({}), MADE.id, "node3", "") is False


def test_nobody_is_added_while_a_member_is_off() -> None:
    view = replace(VIEW, online=frozenset({"node1"}))
    made = decide.ready(view, opened(), MADE.id, "node3", authority.key_digest(KEY))
    assert isinstance(made, Answer) and made.status == 503 and "node2" in (made.error or "")


def test_the_state_is_read_from_crm_mon() -> None:
    xml = """<pacemaker-result><summary>
      <current_dc present="true" name="node2" with_quorum="true"/></summary><nodes>
      <node name="node1" online="true" pending="false"/>
      <node name="node2" online="true" pending="false"/>
      <node name="node3" online="true" pending="true"/>
      <node name="node4" online="false" pending="false"/></nodes></pacemaker-result>"""
    assert read_state(xml) == ("node2", frozenset({"node1", "node2"}))
