"""Quorum by cluster size: who must be there, how many may fail now, what is recommended. Pure.

The rules are Corosync's, see votequorum(5). Each node has one vote. A cluster is made with
auto_tie_breaker and wait_for_all, because neither can be added while it runs and both are needed
as soon as the number of nodes is even.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Device = Literal["none", "ffsplit", "lms"]
LARGEST_WITHOUT_REMOTES = 32
ORDINALS = {3: "third", 5: "fifth", 7: "seventh", 9: "ninth"}


@dataclass(frozen=True)
class Votes:
    """Who may vote, and who does.

    nodes: members by configuration; online: those that are there; device: the algorithm of the
    quorum device; silent: it gives no vote now. tie_breaker: of two halves the one with the lowest
    node id goes on; two_node: each of two nodes may go on alone.
    """

    nodes: int
    online: int
    device: Device = "none"
    tie_breaker: bool = True
    two_node: bool = False
    silent: bool = False


def needed(votes: Votes) -> int:
    """How many nodes must be there for quorum, whichever they are.

    A device of the kind ffsplit gives one of two halves its vote; one of the kind lms has so many
    votes that a single node and the device are a majority. Its votes count for the majority also
    while it gives none.
    """
    if votes.silent and votes.device != "none":
        return votes.nodes if votes.device == "lms" else (votes.nodes + 1) // 2 + 1
    if votes.device == "lms" or (votes.two_node and votes.nodes == 2):
        return 1
    if votes.device == "ffsplit":
        return (votes.nodes + 1) // 2
    return votes.nodes // 2 + 1


def may_fail(votes: Votes) -> int:
    """How many of the nodes that are there may fail at the same instant, whichever they are."""
    return max(0, votes.online - needed(votes))


def spared(votes: Votes) -> int:
    """How many more may fail if the node with the lowest id is not among them."""
    tied = votes.tie_breaker and votes.device == "none" and not votes.two_node
    return 1 if tied and votes.nodes % 2 == 0 and votes.online > votes.nodes // 2 else 0


def words(votes: Votes) -> str:
    """How many nodes may fail now, for a person."""
    count = may_fail(votes)
    said = f"{count or 'none'} of the {votes.online} online nodes may fail now"
    if spared(votes):
        said += f", {count + 1} if the one with the lowest id is not among them"
    return said


def recommended(votes: Votes) -> str:
    """What would make a cluster of this size survive more; empty when nothing is missing."""
    if votes.silent and votes.device != "none":
        return (
            "the quorum device gives no vote: look at corosync-qnetd on its server, TCP port 5403"
        )
    if votes.nodes == 1:
        return "add two more nodes: three are the smallest cluster that survives the loss of any"
    if votes.nodes == 2 and votes.device == "none" and not votes.two_node:
        return (
            "add a third node or a quorum device: of two nodes only the loss of the one with the "
            "higher id is survived"
        )
    if votes.nodes % 2 == 0 and votes.device == "none" and votes.nodes <= 8:
        return f"a {ORDINALS[votes.nodes + 1]} node or a quorum device would let one more node fail"
    if votes.nodes > LARGEST_WITHOUT_REMOTES:
        return f"more than {LARGEST_WITHOUT_REMOTES} nodes: use pacemaker_remote for the others"
    return ""
