"""Removing a member: a cluster with quorum forgets it, and nothing it knew is of any use."""

from __future__ import annotations

from agent.cluster import removal
from agent.cluster.cib import Cib
from agent.cluster.lock import add_lock
from agent.cluster.pcs import Pcsd
from agent.cluster.status import Cluster
from agent.core.errors import SlipwayError
from agent.step import WaitForOperator


def check(node: str, state: Cluster) -> None:
    """Whether the node may be removed by this one now. Raises SlipwayError, WaitForOperator."""
    members = {member.name: member for member in state.members}
    if node not in members:
        raise SlipwayError(f"{node} is not a member", hint=f"the members are {', '.join(members)}")
    if node == state.node:
        raise SlipwayError(
            "a node does not remove itself", hint="run the command on another member"
        )
    if not state.quorum.quorate:
        raise WaitForOperator(
            "the cluster has no quorum here, so it can remove nobody",
            hint="see: slipway cluster status",
        )
    if members[node].state == "to be fenced":
        raise WaitForOperator(
            f"{node} is being fenced", hint="wait until it is offline: slipway cluster status"
        )


def remove(node: str, state: Cluster) -> None:
    """Remove a member, online or not, and renew the keys that it knew. Safe to repeat.

    A node that is online leaves with its cluster's daemons stopped and its configuration gone.
    Raises SlipwayError, Retry while another member changes the cluster.
    """
    check(node, state)
    shared, pcsd = Cib(), Pcsd()
    with add_lock(shared, state.node):
        removal.disown(node, shared)
        pcsd.remove_node(node)
        pcsd.forget_host(node)
        removal.renew_keys(shared)
