"""Which member may start a guest, and from what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.cluster.guests.model import Claim
from agent.cluster.guests.start import Asked, check
from agent.core.errors import SlipwayError

ONE, TWO = "1" * 64, "2" * 64
MEMBERS = ("node1", "node2", "node3")
# Pacemaker starts a guest of node1 on node2, from a current copy.
MOVED = Asked("node2", "vm-web", Claim("node1", (ONE,)), MEMBERS, None, ONE, managed=True)


def test_pacemaker_starts_a_guest_from_a_current_copy() -> None:
    check(MOVED)
    check(replace(MOVED, claim=Claim("node1", (ONE, TWO)), copy=TWO))


@pytest.mark.parametrize("copy", [TWO, None])
def test_a_stale_copy_is_refused(copy: str | None) -> None:
    with pytest.raises(SlipwayError, match="vm web on node2 is stale"):
        check(replace(MOVED, copy=copy))


def test_a_person_starts_it_where_it_belongs() -> None:
    with pytest.raises(SlipwayError, match="belongs to node1") as error:
        check(replace(MOVED, managed=False))
    assert "slipway cluster remove node1" in str(error.value)


def test_a_definition_that_was_left_here_is_not_started() -> None:
    with pytest.raises(SlipwayError, match="belongs to node1"):
        check(replace(MOVED, definition=ONE))


def test_a_guest_of_a_removed_member_starts_from_what_is_current() -> None:
    lost = replace(MOVED, members=MEMBERS[1:], managed=False)
    check(lost)
    check(replace(lost, definition=ONE, copy=TWO))
    with pytest.raises(SlipwayError, match="stale"):
        check(replace(lost, definition=TWO))
