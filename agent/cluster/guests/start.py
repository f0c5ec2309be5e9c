"""Whether a guest may start on this member: asked by libvirt's and LXC's hooks before each start.

A hook must not speak to libvirt, which waits for it.
"""

from __future__ import annotations

import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from agent.cluster import configuration, local
from agent.cluster.cib import Cib
from agent.cluster.guests import look
from agent.cluster.guests.model import (
    Claim,
    Kind,
    claim_name,
    claim_names,
    claims,
    copy_of,
    digest,
    key,
    title,
)
from agent.cluster.records import Texts
from agent.cluster.view import has_quorum
from agent.core.errors import CommandFailed, CommandTimeout, SlipwayError
from agent.core.files import write_atomically
from agent.step import Retry

# A file for each guest whose start was refused because the cluster had no quorum.
REFUSED = Path("/run/slipway/refused")
SECONDS = 60


@dataclass(frozen=True)
class Asked:
    """A start on a node. claim: of the guest; definition, copy: digests of what this node has;
    managed: Pacemaker starts the guest from the copies.
    """

    own: str
    guest: str
    claim: Claim
    members: Collection[str]
    definition: str | None
    copy: str | None
    managed: bool


def check(asked: Asked) -> None:
    """Raises SlipwayError that says why a guest of another member must not start here. Pure.

    Pacemaker knows where the guest runs; persons do not, as long as its member may be alive.
    """
    owner, what = asked.claim.node, title(asked.guest)
    by_pacemaker = asked.managed and asked.definition is None
    if owner in asked.members and not by_pacemaker:
        raise SlipwayError(
            f"{what} belongs to {owner} and does not start on {asked.own}",
            hint=f"start it there; when {owner} is gone for good: slipway cluster remove {owner}",
        )
    if (asked.definition or asked.copy) not in asked.claim.digests:
        raise SlipwayError(
            f"the definition of {what} on {asked.own} is stale",
            hint=f"{owner} has changed it since; current copies arrive when {owner} is online",
        )


def check_container(guest: str, source: Path, managed: Collection[str]) -> None:
    """Raises SlipwayError when somebody else than Pacemaker starts a container under HA. Pure.

    source: the configuration that it is started from; Pacemaker takes the copy.
    """
    if guest in managed and source != copy_of(guest):
        raise SlipwayError(
            f"{title(guest)} is under HA: Pacemaker starts it",
            hint=f"slipway guest start {title(guest)}",
        )


def may_start(kind: Kind, name: str, source: Path | None = None, shared: Texts = Cib()) -> None:
    """Let a guest start, and make it this node's own. Raises SlipwayError when it must not.

    source: the configuration that a container is started from.
    """
    if not local.configured():
        return
    guest, own = key(kind, name), socket.gethostname()
    if not _quorate():
        write_atomically(REFUSED / guest, "")
        raise SlipwayError(
            f"{title(guest)} does not start: this node is in no cluster with quorum",
            hint="it starts later if it starts with the node; see: slipway cluster status",
        )
    claim = claims(shared.texts()).get(guest)
    if claim is None or (claim.node == own and source is None):
        return
    managed = look.managed()
    if source is not None:
        check_container(guest, source, managed)
    if claim.node == own:
        return
    made = configuration.read()
    text = look.counting(look.definitions(), managed).get(guest)
    check(
        Asked(
            own=own,
            guest=guest,
            claim=claim,
            members=[node.name for node in made.nodes] if made else [],
            definition=None if text is None else digest(text),
            copy=look.copies().get(guest),
            managed=guest in managed,
        )
    )
    say(shared, guest, Claim(own, claim.digests, claim.generation + 1))


def give(kind: Kind, name: str, node: str, shared: Texts = Cib()) -> None:
    """Make a guest of this node another member's, which has it already. Raises SlipwayError."""
    guest, own = key(kind, name), socket.gethostname()
    claim = claims(shared.texts()).get(guest)
    if claim is None or claim.node not in (own, node):
        raise SlipwayError(f"{title(guest)} does not belong to {own}")
    if claim.node == own:
        say(shared, guest, Claim(node, claim.digests, claim.generation + 1))


def say(shared: Texts, guest: str, claim: Claim) -> None:
    """Write a claim. Raises Retry when another member has changed it since."""
    if not shared.create(claim_name(guest, claim.generation), str(claim)):
        raise Retry(f"another member has just changed what belongs to {title(guest)}")
    for text in claim_names(shared.texts(), guest, below=claim.generation):
        shared.delete(text)


def _quorate() -> bool:
    try:
        return has_quorum(SECONDS)
    except (CommandFailed, CommandTimeout):
        return False
