"""What members do for definitions: planned for real, done in memory, interrupted anywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cluster.guests import plan as module
from agent.cluster.guests.model import Claim, claims
from agent.cluster.guests.plan import Copy, Say, Send, plan
from agent.step import Retry
from tests.unit.cluster_guests.world import WEB, World, digest

ONE, TWO, THREE = digest("1"), digest("2"), digest("3")


@pytest.fixture
def world() -> World:
    """node1 has defined a guest that all know."""
    made = World()
    made.nodes["node1"].definitions[WEB] = ONE
    made.settle()
    return made


def claim(world: World) -> Claim:
    return claims(world.cib.texts())[WEB]


def test_a_new_guest_reaches_every_member(world: World) -> None:
    assert claim(world) == Claim("node1", (ONE,))
    assert [node.copies for node in world.nodes.values()] == [{WEB: ONE}] * 3
    assert len(world.cib.texts()) == 1


def test_a_change_is_announced_sent_and_declared_in_this_order(world: World) -> None:
    world.nodes["node1"].definitions[WEB] = TWO
    assert plan(world.state("node1")) == (
        Say(WEB, Claim("node1", (ONE, TWO))),
        Copy(WEB, TWO),
        Send((WEB,), ("node2", "node3")),
        Say(WEB, Claim("node1", (TWO,))),
    )


@given(st.lists(st.tuples(st.sampled_from("123"), st.integers(0, 4)), max_size=8))
def test_while_a_definition_changes_every_copy_stays_good(steps: list[tuple[str, int]]) -> None:
    """Whatever is interrupted, a member that could start the guest still can."""
    world = World()
    world.nodes["node1"].definitions[WEB] = ONE
    world.settle()
    for text, count in steps:
        world.nodes["node1"].definitions[WEB] = digest(text)
        for done in range(count):
            before = world.startable()
            for action in plan(world.state("node1"))[:1]:
                world.do("node1", action)
            assert world.startable() >= before, done
    world.settle()
    assert not world.stale()
    assert claim(world).digests == (world.nodes["node1"].definitions[WEB],)


def test_a_member_that_was_off_asks_and_gets_current_copies(world: World) -> None:
    world.nodes["node3"].online = False
    world.nodes["node1"].definitions[WEB] = TWO
    world.settle()
    assert world.nodes["node3"].copies == {WEB: ONE}
    world.nodes["node3"].online = True
    assert world.stale() == {"node3": (WEB,)}
    world.settle()
    assert not world.stale() and set(world.cib.texts()) == {"guest-vm-web__3"}


def test_nobody_asks_for_what_a_member_that_is_off_has(world: World) -> None:
    world.nodes["node3"].copies.clear()
    world.nodes["node1"].online = False
    assert plan(world.state("node3")) == ()
    assert world.stale() == {"node3": (WEB,)}


def test_a_guest_that_is_undefined_is_forgotten_everywhere(world: World) -> None:
    del world.nodes["node1"].definitions[WEB]
    world.settle()
    assert world.cib.texts() == {}
    assert all(not node.copies for node in world.nodes.values())


@pytest.mark.parametrize("reason", ["active", "managed"])
def test_what_runs_without_a_definition_or_under_pacemaker_stays(world: World, reason: str) -> None:
    del world.nodes["node1"].definitions[WEB]
    getattr(world.nodes["node1"], reason).add(WEB)
    assert plan(world.state("node1")) == ()
    # Pacemaker starts it from the copy, so a change of the copy is a change of the guest.
    world.nodes["node1"].copies[WEB] = TWO
    world.settle()
    assert claim(world).digests == (TWO,) and not world.stale()


def test_a_node_that_was_installed_anew_forgets_nothing(world: World) -> None:
    world.nodes["node1"].definitions.clear()
    world.nodes["node1"].copies.clear()
    world.settle()
    assert world.nodes["node2"].copies == {WEB: ONE}
    assert module.missing(world.state("node1")) == (WEB,)
    world.nodes["node1"].definitions[WEB] = TWO
    world.settle()
    assert claim(world).digests == (TWO,) and not world.stale()


def test_a_name_that_belongs_to_another_is_left_alone(world: World) -> None:
    world.nodes["node2"].definitions[WEB] = TWO
    assert plan(world.state("node2")) == ()
    assert module.conflicts(world.state("node2")) == (WEB,)


def test_a_guest_belongs_to_the_node_that_it_moved_to(world: World) -> None:
    moved = world.nodes["node2"]
    moved.definitions[WEB], moved.active = TWO, {WEB}
    world.settle()
    assert claim(world) == Claim("node2", (TWO,)) and not world.stale()
    # What is left on the old one is not its business any more.
    assert module.conflicts(world.state("node1")) == (WEB,)


def test_another_guest_of_the_same_name_takes_nothing(world: World) -> None:
    other = world.nodes["node2"]
    other.definitions[WEB], other.active = TWO, {WEB}
    state = world.state("node2")
    assert plan(replace(state, same=frozenset())) == ()


def test_a_guest_of_a_removed_member_is_defined_on_another(world: World) -> None:
    del world.nodes["node1"]
    assert plan(world.state("node2")) == ()
    world.nodes["node2"].definitions[WEB] = ONE
    world.settle()
    assert claim(world) == Claim("node2", (ONE,))


def test_a_guest_that_could_not_start_with_the_node_is_started(world: World) -> None:
    world.nodes["node1"].refused = {WEB}
    world.nodes["node2"].refused = {WEB}
    world.settle()
    assert [node.active for node in world.nodes.values()] == [{WEB}, set(), set()]


def test_two_that_take_a_guest_at_once(world: World) -> None:
    """One is told that it was too late."""
    after = Claim("node2", (ONE,), claim(world).generation + 1)
    world.do("node2", Say(WEB, after))
    with pytest.raises(Retry, match="another member"):
        world.do("node3", Say(WEB, Claim("node3", (ONE,), after.generation)))
    assert claim(world).node == "node2"
