"""A cluster in memory, in which the real planner's actions are done."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.cluster.guests.model import WANTED, claim_names, claims, wanting
from agent.cluster.guests.plan import (
    Action,
    Copy,
    Forget,
    Say,
    Send,
    Start,
    State,
    Want,
    Withdraw,
    plan,
    stale,
)
from agent.cluster.guests.start import say
from tests.unit.cluster.shared import Memory

WEB = "vm-web"


def digest(text: str) -> str:
    """A digest that a claim can hold."""
    return f"{text:0>64}"


@dataclass
class Node:
    """What one member has, as digests."""

    definitions: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)
    managed: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    online: bool = True


@dataclass
class World:
    """The members, and their CIB."""

    nodes: dict[str, Node] = field(
        default_factory=lambda: {name: Node() for name in ("node1", "node2", "node3")}
    )
    cib: Memory = field(default_factory=Memory)

    def state(self, name: str) -> State:
        """What a member sees."""
        node = self.nodes[name]
        return State(
            own=name,
            members=frozenset(self.nodes),
            online=frozenset(other for other, each in self.nodes.items() if each.online),
            definitions=dict(node.definitions),
            copies=dict(node.copies),
            claims=claims(self.cib.texts()),
            same=frozenset(node.definitions.keys() & node.copies.keys()),
            active=frozenset(node.active),
            running=frozenset(node.active),
            managed=frozenset(node.managed),
            wanting=wanting(self.cib.texts()),
            refused=frozenset(node.refused),
        )

    def run(self, name: str, at_most: int = 1000) -> int:
        """Do what is planned for a member, or only the first actions; gives how many."""
        actions = plan(self.state(name))[:at_most]
        for action in actions:
            self.do(name, action)
        return len(actions)

    def do(self, name: str, action: Action) -> None:
        """One action of a member."""
        node = self.nodes[name]
        match action:
            case Say(guest=guest, claim=claim):
                say(self.cib, guest, claim)
            case Copy(guest=guest):
                node.copies[guest] = node.definitions[guest]
            case Send(guests=guests, nodes=receivers):
                for receiver in receivers:
                    assert self.nodes[receiver].online
                    self.nodes[receiver].copies |= {each: node.copies[each] for each in guests}
            case Withdraw(guest=guest):
                for text in claim_names(self.cib.texts(), guest):
                    self.cib.delete(text)
            case Forget(guest=guest):
                del node.copies[guest]
            case Want(wanted=wanted):
                change = self.cib.replace if wanted else lambda text, _: self.cib.delete(text)
                change(WANTED + name, "yes")
            case Start(guest=guest):
                node.active.add(guest)
                node.refused.discard(guest)

    def settle(self) -> None:
        """Run every member that is online until nobody has anything to do."""
        for _ in range(20):
            if not sum(self.run(name) for name, node in self.nodes.items() if node.online):
                return
        raise AssertionError("the members never come to an end")

    def startable(self) -> set[tuple[str, str]]:
        """Members with a current copy of a guest."""
        return {
            (name, guest)
            for name, node in self.nodes.items()
            for guest, claim in claims(self.cib.texts()).items()
            if node.copies.get(guest) in claim.digests
        }

    def stale(self) -> dict[str, tuple[str, ...]]:
        """Stale copies by member."""
        found = {name: stale(self.state(name)) for name in self.nodes}
        return {name: guests for name, guests in found.items() if guests}
