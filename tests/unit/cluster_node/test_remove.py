"""Who may be removed from a cluster, and from where."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cluster import remove, status
from agent.cluster.configuration import READER
from agent.cluster.monitor import parse
from agent.cluster.records import Records
from agent.cluster.sbd import Sbd
from agent.core.errors import SlipwayError

NOTHING = Records({})
DATA = Path(__file__).parents[2] / "data" / "cluster"


@pytest.fixture
def state() -> status.Cluster:
    made = READER.validate_json((DATA / "config.json").read_text())
    view = parse((DATA / "crm_mon.xml").read_text())
    return status.compose(made, view, Sbd(True, True, 10, 30), None, "node1")


@pytest.mark.parametrize("node", ["node2", "node3"])
def test_online_or_not(state: status.Cluster, node: str) -> None:
    remove.check(node, state, NOTHING)


@pytest.mark.parametrize(("node", "said"), [("node9", "not a member"), ("node1", "itself")])
def test_who_cannot_be_removed(state: status.Cluster, node: str, said: str) -> None:
    with pytest.raises(SlipwayError, match=said):
        remove.check(node, state, NOTHING)


def test_not_without_quorum(state: status.Cluster) -> None:
    minority = state.model_copy(
        update={"quorum": state.quorum.model_copy(update={"quorate": False})}
    )
    with pytest.raises(SlipwayError, match="no quorum"):
        remove.check("node3", minority, NOTHING)


def test_not_while_it_is_fenced(state: status.Cluster) -> None:
    last = state.members[2].model_copy(update={"state": "to be fenced"})
    fencing = state.model_copy(update={"members": (*state.members[:2], last)})
    with pytest.raises(SlipwayError, match="being fenced"):
        remove.check("node3", fencing, NOTHING)


def test_one_that_was_removed_by_half(state: status.Cluster) -> None:
    remove.check("node9", state, Records({"issued-ab": "node9:2000000000"}))
