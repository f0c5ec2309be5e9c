"""Quorum by cluster size, compared with what votequorum(5) says, worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cluster.quorum import Device, Votes, may_fail, needed, recommended, spared, words


@pytest.mark.parametrize(
    ("nodes", "online", "device", "two_node", "may", "more"),
    [
        (1, 1, "none", False, 0, 0),
        (2, 2, "none", False, 0, 1),
        (2, 2, "none", True, 1, 0),
        (2, 2, "ffsplit", False, 1, 0),
        (3, 3, "none", False, 1, 0),
        (3, 2, "none", False, 0, 0),
        (4, 4, "none", False, 1, 1),
        (4, 3, "none", False, 0, 1),
        (4, 4, "ffsplit", False, 2, 0),
        (5, 5, "none", False, 2, 0),
        (5, 5, "lms", False, 4, 0),
        (32, 32, "none", False, 15, 1),
        (32, 32, "ffsplit", False, 16, 0),
    ],
)
def test_how_many_may_fail(
    nodes: int, online: int, device: Device, two_node: bool, may: int, more: int
) -> None:
    votes = Votes(nodes, online, device, tie_breaker=not two_node, two_node=two_node)
    assert (may_fail(votes), spared(votes)) == (may, more)


@pytest.mark.parametrize(
    ("nodes", "device", "may"),
    [(2, "ffsplit", 0), (3, "ffsplit", 0), (4, "ffsplit", 1), (5, "lms", 0), (5, "none", 2)],
)
def test_the_votes_of_a_silent_device_are_missed(nodes: int, device: Device, may: int) -> None:
    assert may_fail(Votes(nodes, nodes, device, silent=True)) == may


@given(st.integers(1, 64), st.data(), st.sampled_from(["none", "ffsplit"]))
def test_two_parts_never_both_have_quorum(nodes: int, data: st.DataObject, device: Device) -> None:
    part = data.draw(st.integers(0, nodes))
    votes = Votes(nodes, nodes, device)
    # The device votes with one of two equal halves only; the tie breaker is no vote.
    both = min(part, nodes - part) >= needed(votes)
    assert not both or (device == "ffsplit" and part * 2 == nodes)


@pytest.mark.parametrize(
    ("votes", "said"),
    [
        (Votes(1, 1), "smallest cluster"),
        (Votes(2, 2), "higher id"),
        (Votes(2, 2, device="ffsplit"), ""),
        (Votes(3, 3), ""),
        (Votes(4, 4), "a fifth node"),
        (Votes(5, 5), ""),
        (Votes(40, 40), "pacemaker_remote"),
    ],
)
def test_recommendations(votes: Votes, said: str) -> None:
    assert bool(recommended(votes)) == bool(said)
    assert said in recommended(votes)


def test_words() -> None:
    assert words(Votes(3, 3)) == "1 of the 3 online nodes may fail now"
    assert words(Votes(3, 2)) == "none of the 2 online nodes may fail now"
    assert words(Votes(4, 4)).endswith(", 2 if the one with the lowest id is not among them")
