"""Which member may start a guest, and from what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.cluster.guests.look import counting
from agent.cluster.guests.model import Claim
from agent.cluster.guests.start import Asked, check, check_container
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


def test_a_container_under_ha_starts_from_its_copy_alone() -> None:
    copy = Path("/var/lib/slipway/definitions/container-db.conf")
    check_container("container-db", copy, {"container-db"})
    own = Path("/var/lib/lxc/db/config")
    check_container("container-db", own, set())
    with pytest.raises(SlipwayError, match="container db is under HA"):
        check_container("container-db", own, {"container-db"})


def test_lxcs_own_definition_of_a_container_under_ha_does_not_count() -> None:
    found = {"vm-web": "1", "container-db": "2", "container-dns": "3"}
    managed = {"vm-web", "container-db"}
    assert counting(found, managed) == {"vm-web": "1", "container-dns": "3"}
