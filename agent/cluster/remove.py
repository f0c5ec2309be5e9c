"""Removing a member: a cluster with quorum forgets it, and nothing it knew is of any use."""

from __future__ import annotations

from agent.cluster import removal
from agent.cluster.cib import Cib
from agent.cluster.lock import add_lock
from agent.cluster.pcs import Pcsd
from agent.cluster.records import Records
from agent.cluster.status import Cluster
from agent.core.errors import SlipwayError
from agent.step import WaitForOperator


def check(node: str, state: Cluster, known: Records) -> None:
    """Whether the node may be removed by this one now. Raises SlipwayError, WaitForOperator.

    One that is not a member any more, and has certificates, was removed by half.
    """
    members = {member.name: member for member in state.members}
    if node not in members and node not in {x.node for x in known.certificates()}:
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
    if node in members and members[node].state == "to be fenced":
        raise WaitForOperator(
            f"{node} is being fenced", hint="wait until it is offline: slipway cluster status"
        )


def remove(node: str, state: Cluster) -> None:
    """Remove a member, online or not, and renew the keys that it knew. Safe to repeat.

    A node that is online leaves with its cluster's daemons stopped and its configuration gone.
    Its certificate is revoked last: until then pcs reaches the node, and members that take up the
    list of revoked certificates restart what pcs talks through.
    Raises SlipwayError, Retry while another member changes the cluster.
    """
    shared, pcsd = Cib(), Pcsd()
    check(node, state, Records(shared.texts()))
    with add_lock(shared, state.node):
        if node in {member.name for member in state.members}:
            pcsd.remove_node(node)
        pcsd.forget_host(node)
        removal.renew_keys(shared)
        removal.disown(node, shared)
