"""Cluster kits: made once for a group with `cluster`, and then each node's table from it."""

from __future__ import annotations

import datetime
import sqlite3
import tomllib
from typing import Any

from agent.cluster import kit
from agent.core.errors import SlipwayError
from image.serve.site import Group


class NotANode(SlipwayError):
    """The machine's name is none of its group's cluster."""


def cluster_table(db: sqlite3.Connection, group: Group, fqdn: object) -> dict[str, Any]:
    """The answer's table [cluster] for the node with this name; nothing without a cluster.

    Raises NotANode.
    """
    if group.cluster is None:
        return {}
    node = str(fqdn).partition(".")[0] if isinstance(fqdn, str) else ""
    if node not in group.nodes:
        raise NotANode(
            f"{node or 'a machine without a name'} is none of the nodes of the cluster "
            f"{group.cluster}",
            where=f"group {group.name}",
            hint=f"They are {', '.join(group.nodes)}.",
        )
    row = _kept(db, group.cluster, node)
    if row is None:
        _make(db, group.cluster, group.nodes)
        row = _kept(db, group.cluster, node)
    if row is None:
        raise NotANode(
            f"{node} was added to the cluster {group.cluster} after its kit was made",
            where=f"group {group.name}",
            hint="Give its answer a token of a member: slipway token create.",
        )
    table: dict[str, Any] = tomllib.loads(row["answer"])["cluster"]
    return table


def _kept(db: sqlite3.Connection, cluster: str, node: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(
        "SELECT answer FROM kits WHERE cluster = ? AND node = ?", (cluster, node)
    ).fetchone()
    return found


def _make(db: sqlite3.Connection, cluster: str, nodes: dict[str, str]) -> None:
    """Make the kit, unless there is one already: a second authority would be a second cluster."""
    if db.execute("SELECT 1 FROM kits WHERE cluster = ?", (cluster,)).fetchone():
        return
    addresses = {node: address for node, address in nodes.items() if address}
    now = datetime.datetime.now(datetime.UTC)
    for node, part in kit.make(cluster, list(nodes), addresses, now).items():
        db.execute("INSERT INTO kits VALUES (?, ?, ?)", (cluster, node, part.table()))
