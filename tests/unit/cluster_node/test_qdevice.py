"""The quorum device: what is done in which order, and when it is refused."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import pytest

from agent.cluster import qdevice, restart, status
from agent.cluster.configuration import READER, Configuration
from agent.cluster.monitor import parse
from agent.cluster.qdevice import Device, Situation, plan_add, plan_remove
from agent.core.commands import Command, perform
from agent.core.errors import SlipwayError
from agent.step import Retry, WaitForOperator
from tests.unit.cluster_node.test_status import DATA, HARDWARE, ON

WANTED = Device("q.example.org", "ffsplit")
WITHOUT = Situation(
    running=True,
    device=None,
    tie_breaker=True,
    wait_for_all=True,
    nodes=2,
    members=frozenset({"node1", "192.0.2.1", "node2", "192.0.2.2"}),
    quorate=True,
    offline=(),
    resources=(),
)
WITH = replace(WITHOUT, device=WANTED, tie_breaker=False, wait_for_all=False)
STOP, START = "pcs cluster stop --all", "pcs cluster start --all"
ADD = "pcs quorum device add model net host=q.example.org algorithm=ffsplit"
REMOVE = "pcs quorum device remove"
NOT_ALL = "pcs quorum update wait_for_all=0"
BOTH = "pcs quorum update auto_tie_breaker=1 wait_for_all=1"


def words(commands: tuple[Command, ...]) -> list[str]:
    return [" ".join(each.argv) for each in commands]


@pytest.mark.parametrize("nodes", [2, 3, 32])
def test_it_comes_while_corosync_is_stopped(nodes: int) -> None:
    assert words(plan_add(WANTED, replace(WITHOUT, nodes=nodes))) == [STOP, ADD, NOT_ALL, START]


def test_it_goes_the_same_way() -> None:
    assert words(plan_remove(WITH)) == [STOP, REMOVE, BOTH, START]


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (WITH, []),
        (replace(WITH, wait_for_all=True), [STOP, NOT_ALL, START]),
        (replace(WITH, wait_for_all=True, quorate=False), [STOP, NOT_ALL, START]),
        (replace(WITH, wait_for_all=True, running=False), [NOT_ALL, START]),
        (replace(WITH, running=False), [START]),
    ],
)
def test_an_interrupted_add_goes_on(now: Situation, left: list[str]) -> None:
    assert words(plan_add(WANTED, now)) == left


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (replace(WITH, device=None), [STOP, BOTH, START]),
        (replace(WITH, device=None, running=False), [BOTH, START]),
        (replace(WITHOUT, running=False), [START]),
    ],
)
def test_an_interrupted_remove_goes_on(now: Situation, left: list[str]) -> None:
    assert words(plan_remove(now)) == left


@pytest.mark.parametrize(
    ("changes", "wanted", "said"),
    [
        ({"nodes": 1}, WANTED, "one node would stop"),
        ({"running": False}, WANTED, "does not run"),
        ({}, Device("node2", "ffsplit"), "is a member"),
        ({}, Device("192.0.2.2", "ffsplit"), "is a member"),
        ({}, Device("--force", "ffsplit"), "neither a name"),
        ({"device": Device("other.example.org", "lms")}, WANTED, "already: other"),
        ({"device": Device("q.example.org", "lms")}, WANTED, "already: q.example.org .lms"),
    ],
)
def test_refusals(changes: dict[str, Any], wanted: Device, said: str) -> None:
    with pytest.raises(SlipwayError, match=said):
        plan_add(wanted, replace(WITHOUT, **changes))


@pytest.mark.parametrize(
    ("now", "said"), [(WITHOUT, "no quorum device"), (replace(WITH, running=False), "not run")]
)
def test_nothing_to_remove(now: Situation, said: str) -> None:
    with pytest.raises(SlipwayError, match=said):
        plan_remove(now)


@pytest.mark.parametrize("changes", [{"offline": ("node2",)}, {"quorate": False}])
def test_everybody_must_be_there(changes: dict[str, Any]) -> None:
    with pytest.raises(Retry, match="not there: (node2|a quorum)"):
        plan_add(WANTED, replace(WITHOUT, **changes))


def test_a_silent_device_goes_while_everybody_is_there() -> None:
    silent = replace(WITH, quorate=False)
    assert words(plan_remove(silent)) == [STOP, REMOVE, BOTH, START]
    with pytest.raises(Retry, match="not there: node2"):
        plan_remove(replace(silent, offline=("node2",)))


def test_guests_under_pacemaker_are_not_stopped() -> None:
    with pytest.raises(WaitForOperator, match="vm1"):
        plan_add(WANTED, replace(WITHOUT, resources=("vm1",)))


def test_after_a_failure_the_cluster_runs_again() -> None:
    ran: list[str] = []

    def runner(argv: tuple[str, ...], **_options: object) -> None:
        ran.append(" ".join(argv))
        if ran[-1] == ADD:
            raise SlipwayError("a member does not answer")

    with pytest.raises(SlipwayError, match="does not answer"):
        perform(plan_add(WANTED, WITHOUT), runner)
    assert ran == [STOP, ADD, START]
    assert restart.STOP.undo == restart.START.argv


def test_a_server_that_is_down_costs_no_restart() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(SlipwayError, match="does not answer"):
            qdevice.check_reached("127.0.0.1", bound.getsockname()[1])


@pytest.fixture
def made() -> Configuration:
    found = READER.validate_json((DATA / "config.json").read_text())
    device = {"model_options": {"host": "q.example.org", "algorithm": "ffsplit"}}
    return READER.validate_python({**found.model_dump(), "quorum_device": device})


@pytest.mark.parametrize(("votes", "may", "said"), [(True, 0, "votes"), (False, 0, "NO VOTE")])
def test_the_status_names_it(made: Configuration, votes: bool, may: int, said: str) -> None:
    view = parse((DATA / "crm_mon.xml").read_text())
    state = status.compose(made, view, ON, HARDWARE, "node1", device_votes=votes)
    assert state.quorum.may_fail == may
    assert f"quorum device: q.example.org (ffsplit), {'' if votes else 'GIVES '}{said}" in (
        status.text(state)
    )
    assert any("corosync-qnetd" in line for line in state.advice) is not votes
    now = qdevice.situation_of(state, view.resources)
    assert now.device == WANTED
    assert {"node3", "10.77.1.3"} <= now.members
