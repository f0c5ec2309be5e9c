"""What is wrong, from what the commands print."""

from __future__ import annotations

from typing import Any

import pytest

from agent.overview.model import Answer, Overview, Part
from agent.overview.problems import alone, problems
from tests.unit.overview.world import about_cluster, cluster, job, node, overview, storage


def said(found: Overview) -> list[tuple[str, str]]:
    return [(problem.level, problem.what) for problem in problems(found)]


def test_a_healthy_cluster_has_no_problems() -> None:
    assert said(overview()) == []


def test_a_node_that_is_off_is_named_once_with_what_to_do() -> None:
    state = cluster()
    state["members"][1]["state"] = "offline"
    state["quorum"].update(online=2, may_fail=0)
    found = overview(state, node2=Answer(error="does not answer"))
    assert said(found) == [
        ("danger", "node2 is offline"),
        ("warning", "no node may fail now"),
    ]
    assert "slipway cluster remove node2" in problems(found)[0].todo


def test_a_link_that_is_lost_while_another_carries_on() -> None:
    state = cluster()
    state["members"][2]["lost_links"] = [1]
    said_of_it = "node3 is not reached on link 1 of 192.0.2.3, 198.51.100.3"
    assert said(overview(state)) == [("warning", said_of_it)]


def test_a_node_that_takes_part_and_does_not_answer() -> None:
    found = overview(node3=Answer(error="does not answer"))
    assert said(found) == [("warning", "node3 does not answer")]


def test_without_quorum_the_missing_nodes_are_named() -> None:
    state = cluster()
    for member in state["members"][1:]:
        member["state"] = "offline"
    state["quorum"].update(quorate=False, online=1, may_fail=0)
    state.update(ha=False, why_off="the cluster has no quorum, node2, node3 is missing")
    first = problems(overview(state))[0]
    assert first.what == "the cluster has no quorum: 1 of 3 nodes are online"
    assert first.todo == "start node2, node3"


def test_why_ha_is_off_and_how_it_is_switched_on() -> None:
    state = cluster()
    why = "fencing is off: switch it on with: slipway ha enable"
    state.update(ha=False, why_off=why)
    (problem,) = problems(overview(state))
    assert problem.what == "HA is off: fencing is off"
    assert problem.todo == "slipway ha enable"


def test_a_node_that_belongs_to_no_cluster_is_no_problem() -> None:
    part = Part(error="this node belongs to no cluster\n  join one with: slipway join TOKEN")
    about = Answer(parts={"cluster": part, "ha": part, "guests": part})
    assert alone(about) and not alone(about_cluster())
    found = Overview(node="node1", alone=True, cluster=about, nodes={"node1": node()})
    assert said(found) == []


@pytest.mark.parametrize(
    ("part", "value", "level", "words"),
    [
        ("storages", {"storages": [storage(85)]}, "warning", "local is 85% full"),
        ("storages", {"storages": [storage(96)]}, "danger", "local is 96% full"),
        ("storages", {"storages": [storage(in_use=False)]}, "warning", "is not in use"),
        (
            "status",
            {"stage": "ready", "unmet": [], "clock": "not synchronized"},
            "warning",
            "the clock is not synchronized",
        ),
    ],
)
def test_what_a_node_says_of_itself(part: str, value: Any, level: str, words: str) -> None:
    ((found, what),) = said(overview(node2=node(**{part: value})))
    assert found == level
    assert words in what


def test_what_an_agent_waits_for_and_what_it_goes_on_with() -> None:
    status = {
        "stage": "waiting for operator",
        "clock": "unknown",
        "unmet": [
            "time: chrony.service is inactive",
            "storage: no disk - run: slipway disk replace",
            "cluster: pending",
        ],
        "steps": {
            "time": {"state": "failed"},
            "storage": {"state": "waiting"},
            "cluster": {"state": "pending"},
        },
    }
    found = problems(overview(node2=node(status=status)))
    assert [(one.level, one.what, one.todo) for one in found] == [
        ("danger", "node2: storage: no disk", "slipway disk replace"),
        ("warning", "node2: time: chrony.service is inactive", ""),
    ]


def test_an_agent_that_has_not_run() -> None:
    unmet = ["the agent has not started since the machine was started"]
    status = {"stage": "not started", "clock": "unknown", "unmet": unmet, "steps": {}}
    ((level, what),) = said(overview(node2=node(status=status)))
    assert (level, what) == ("warning", f"node2: {unmet[0]}")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (job(120), []),
        (job(None), []),
        (job(121), [("warning", "replication of web to node2 is late")]),
        (job(error="no space"), [("danger", "replication of web to node2: no space")]),
    ],
)
def test_a_replica_may_miss_one_turn(row: Any, expected: list[tuple[str, str]]) -> None:
    about = about_cluster(replicas={"jobs": [row]})
    assert said(overview().model_copy(update={"cluster": about})) == expected


def test_a_part_that_fails_is_named_and_the_rest_is_there() -> None:
    broken = node().parts | {"storages": Part(error="libvirt failed")}
    assert said(overview(node2=Answer(parts=broken))) == [("warning", "node2: libvirt failed")]


def test_a_guest_that_ha_gave_up() -> None:
    guest = {"name": "web", "kind": "machine", "state": "failed"}
    found = overview().model_copy(update={"cluster": about_cluster(ha={"guests": [guest]})})
    (problem,) = problems(found)
    assert problem.todo == "pcs resource cleanup"
