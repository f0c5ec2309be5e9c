"""What a member has to do for the definitions of guests. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from agent.cluster.guests.model import Claim


@dataclass(frozen=True)
class State:
    """What a member of a cluster with quorum sees; guests are named by their keys.

    own: its name; members, online: all members, and those that take part; definitions, copies:
    digests of the guests defined on this node, and of its copies; claims: from the CIB; same:
    guests whose definition here is of the same machine as the copy; active, running: guests that
    are on here, and those of them that are not paused; managed: guests that Pacemaker starts from
    the copies; wanting: members that have asked for copies; refused: guests that were to start
    with this node, and could not before the cluster had quorum.
    """

    own: str
    members: frozenset[str]
    online: frozenset[str]
    definitions: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    same: frozenset[str] = frozenset()
    active: frozenset[str] = frozenset()
    running: frozenset[str] = frozenset()
    managed: frozenset[str] = frozenset()
    wanting: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    @property
    def others(self) -> tuple[str, ...]:
        """The other members that take part."""
        return tuple(sorted(self.online & self.members - {self.own}))


@dataclass(frozen=True)
class Say:
    """Write a claim, unless another member has changed it since."""

    guest: str
    claim: Claim


@dataclass(frozen=True)
class Copy:
    """Copy the definition on this node, which has this digest, to the folder of copies."""

    guest: str
    digest: str


@dataclass(frozen=True)
class Send:
    """Send this node's copies to others."""

    guests: tuple[str, ...]
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Withdraw:
    """The guest is gone: delete its claim."""

    guest: str


@dataclass(frozen=True)
class Forget:
    """Delete this node's copy."""

    guest: str


@dataclass(frozen=True)
class Want:
    """Ask the members for current copies, or say that this is done."""

    wanted: bool


@dataclass(frozen=True)
class Start:
    """Start a guest that could not start with the node."""

    guest: str


Action = Say | Copy | Send | Withdraw | Forget | Want | Start


def plan(state: State) -> tuple[Action, ...]:
    """The actions in their order. Each may fail or be interrupted: the next plan goes on.

    A new definition is announced first, then sent, then declared the only current one.
    """
    changed = {key: source(state, key) for key in sorted(_changed(state))}
    mine = {*changed, *(key for key, claim in state.claims.items() if claim.node == state.own)}
    gone = tuple(key for key in sorted(mine) if _gone(state, key))
    kept = tuple(key for key in sorted(mine - set(gone)) if key in {*changed, *state.copies})
    unclaimed = set(state.copies) - set(state.claims) - set(changed)
    asking = tuple(node for node in state.others if node in state.wanting)
    # First, as it needs nobody else.
    waiting = sorted(state.refused - state.active)
    actions: list[Action] = [Start(key) for key in waiting if key in kept]
    for key, digest in changed.items():
        actions += _announce(state, key, digest)
    if changed and state.others:
        actions.append(Send(tuple(changed), state.others))
    actions += [declared for key in changed if (declared := _declare(state, key, changed[key]))]
    if kept and asking:
        actions.append(Send(kept, asking))
    actions += [Withdraw(key) for key in gone]
    actions += [Forget(key) for key in sorted({*gone, *unclaimed} & set(state.copies))]
    wanted = any(state.claims[key].node in state.online for key in stale(state))
    if wanted != (state.own in state.wanting):
        actions.append(Want(wanted))
    return tuple(actions)


def stale(state: State) -> tuple[str, ...]:
    """Guests of other members of which this node has no current copy."""
    return tuple(
        key
        for key, claim in sorted(state.claims.items())
        if claim.node != state.own and state.copies.get(key) not in claim.digests
    )


def conflicts(state: State) -> tuple[str, ...]:
    """Guests that are defined here and belong to another member."""
    return tuple(
        key
        for key in sorted(state.definitions)
        if (claim := state.claims.get(key)) and claim.node != state.own and not _takes(state, key)
    )


def missing(state: State) -> tuple[str, ...]:
    """Guests that belong to this node, which has no definition of them."""
    return tuple(
        key
        for key, claim in sorted(state.claims.items())
        if claim.node == state.own and key not in {*state.definitions, *state.copies}
    )


def source(state: State, key: str) -> str:
    """The digest of this node's definition; the copy is the definition of a guest that has no
    other, as Pacemaker starts guests from the copies.
    """
    return state.definitions.get(key) or state.copies[key]


def _changed(state: State) -> Iterator[str]:
    """Guests of this node whose definition the others do not have yet."""
    for key in {*state.definitions, *state.claims} & {*state.definitions, *state.copies}:
        claim = state.claims.get(key)
        if claim is None:
            if key in state.definitions:
                yield key
        elif claim.node != state.own:
            if _takes(state, key):
                yield key
        elif not _gone(state, key):
            digest = source(state, key)
            if claim.digests != (digest,) or state.copies.get(key) != digest:
                yield key


def _takes(state: State, key: str) -> bool:
    """Whether a guest that belonged to another belongs to this node now: it runs here, and it is
    the same guest; or it was defined here after its member was removed.
    """
    if key in state.running:
        return key not in state.definitions or key in state.same
    return key in state.definitions and state.claims[key].node not in state.members


def _gone(state: State, key: str) -> bool:
    """Whether a guest of this node does not exist any more. A node that was installed anew has
    not even copies: its guests are only missing.
    """
    there = key in state.definitions or key in state.active or key in state.managed
    return key in state.claims and key in state.copies and not there


def _announced(state: State, key: str, digest: str) -> Claim:
    """The claim while a definition is being sent."""
    claim = state.claims.get(key)
    if claim is None:
        return Claim(state.own, (digest,), 1)
    earlier = tuple(each for each in claim.digests if each != digest)
    after = Claim(state.own, (*earlier, digest), claim.generation)
    return after if after == claim else replace(after, generation=claim.generation + 1)


def _announce(state: State, key: str, digest: str) -> Iterator[Action]:
    after = _announced(state, key, digest)
    if after != state.claims.get(key):
        yield Say(key, after)
    if state.copies.get(key) != digest:
        yield Copy(key, digest)


def _declare(state: State, key: str, digest: str) -> Say | None:
    before = _announced(state, key, digest)
    after = Claim(state.own, (digest,), before.generation + 1)
    return Say(key, after) if after != before else None
