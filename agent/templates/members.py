"""Other members of the cluster as sources: what one node has fetched, the others get from it.

Each member offers its store inside the cluster's tunnel, which lets in members only and proves to
each side who the other one is.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from agent.cluster import configuration, tunnel
from agent.config import TemplateSource


def member_sources(
    read: Callable[[], configuration.Configuration | None] = configuration.read,
    own: str | None = None,
) -> tuple[TemplateSource, ...]:
    """Every other member; none on a node that belongs to no cluster. own: this node's name.

    Raises SlipwayError when the cluster's configuration cannot be read.
    """
    cluster = read()
    own = own or socket.gethostname()
    nodes = cluster.nodes if cluster else ()
    return tuple(
        TemplateSource(name=node.name, kind="member", url=_address(node.addresses[0]))
        for node in nodes
        if node.name != own and node.addresses
    )


def _address(host: str) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    return f"http://{bracketed}:{tunnel.TEMPLATES}"
