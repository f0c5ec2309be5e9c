"""What a person should know about the definitions of guests at this member."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from agent.cluster.cib import Cib
from agent.cluster.guests import look, plan
from agent.cluster.guests.model import claims, title
from agent.cluster.guests.plan import State
from agent.core.errors import CommandFailed, CommandTimeout


class Guests(BaseModel):
    """Guests of the cluster ("vm web"). known: how many there are; stale: this node has no current
    copy, so they do not start here; elsewhere: defined here and of another member; missing: of
    this node, which has no definition.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    known: int = 0
    stale: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def read(own: str) -> Guests:
    """As it is now. Nothing while the cluster does not run."""
    found, copies = look.definitions(), look.copies()
    try:
        claimed = claims(Cib().texts())
        managed = look.managed() if claimed else frozenset()
    except (CommandFailed, CommandTimeout):
        return Guests()
    defined = dict.fromkeys(look.counting(found, managed), "")
    everyone = frozenset(claim.node for claim in claimed.values())
    return compose(State(own, everyone, everyone, defined, copies, claimed))


def compose(state: State) -> Guests:
    """From what a member sees."""

    def titles(keys: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(title, keys))

    return Guests(
        known=len(state.claims),
        stale=titles(plan.stale(state)),
        elsewhere=titles(plan.conflicts(state)),
        missing=titles(plan.missing(state)),
    )


def lines(found: Guests) -> list[str]:
    """For a person."""
    said = [f"{each}: the copy here is stale, so it does not start here" for each in found.stale]
    said += [f"{each}: defined here, and belongs to another member" for each in found.elsewhere]
    said += [f"{each}: belongs to this node and is not defined here" for each in found.missing]
    return said
