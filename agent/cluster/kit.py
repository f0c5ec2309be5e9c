"""A cluster kit: everything that a rack of blank machines needs to become one cluster.

It is made offline, before any of the machines runs: the cluster's authority, and one token for
each node but the first. The first node creates the cluster, with the authority and the hashes of
the tokens; the others join it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.cluster import token
from agent.cluster.authority import Authority
from agent.cluster.names import check_addresses, check_node_name, endpoint
from agent.core.errors import SlipwayError
from agent.core.template import render

LIFETIME = datetime.timedelta(days=7)


@dataclass(frozen=True)
class Create:
    """The [cluster] table of the first node.

    authority: certificate and key of the cluster's authority, PEM, a secret; tokens: what the
    members are told of the others' tokens, no secrets.
    """

    name: str
    authority: str
    tokens: tuple[token.Record, ...]

    def table(self) -> str:
        """The table as TOML, ready for an answer file: mode, name, authority, tokens."""
        return render("agent/kit/create.toml", cluster=self)


@dataclass(frozen=True)
class Join:
    """The [cluster] table of every other node. token: a secret."""

    token: token.Token

    def table(self) -> str:
        """The table as TOML, ready for an answer file: mode, token."""
        return render("agent/kit/join.toml", token=self.token.encode())


def make(
    name: str,
    nodes: Sequence[str],
    addresses: Mapping[str, str],
    now: datetime.datetime,
    lifetime: datetime.timedelta = LIFETIME,
) -> dict[str, Create | Join]:
    """The tables of the cluster's nodes, by name; the first one creates it.

    addresses: of the nodes, where known; a node without one is looked for by its name.
    lifetime: how long the tokens are good for.
    Raises SlipwayError for names and addresses that are none, or given twice.
    """
    for node in nodes:
        check_node_name(node)
    if not nodes or len(set(nodes)) != len(nodes):
        raise SlipwayError("a kit needs the names of its nodes, each once")
    _check_each(addresses)
    authority = Authority.create(name, now)
    expires = int((now + lifetime).timestamp())
    members = [endpoint(addresses.get(node, node)) for node in nodes]
    tokens = {
        node: token.issue(
            [member for member in members if member != own], authority.fingerprint, expires, node
        )
        for node, own in zip(nodes[1:], members[1:], strict=True)
    }
    records = tuple(made.record() for made in tokens.values())
    first = Create(name, authority.text(), records)
    return {nodes[0]: first, **{node: Join(made) for node, made in tokens.items()}}


def _check_each(addresses: Mapping[str, str]) -> None:
    for address in addresses.values():
        check_addresses([address])
    if len(set(addresses.values())) != len(addresses):
        raise SlipwayError("two nodes of the kit have the same address")
