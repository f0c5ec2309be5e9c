"""Join tokens of a running cluster: make, list, revoke."""

from __future__ import annotations

import time
from dataclasses import dataclass

from agent.cluster import authority, token
from agent.cluster.folder import Folder
from agent.cluster.names import check_node_name, endpoint
from agent.cluster.pcs import Pcsd
from agent.cluster.records import Records, Texts
from agent.core.errors import SlipwayError


@dataclass(frozen=True)
class Listed:
    """A token as it is shown. state: "unused", or "used by NODE", which is joining."""

    id: str
    node: str
    expires: int
    replace: bool
    state: str


def create(
    folder: Folder, shared: Texts, pcsd: Pcsd, seconds: float, node: str | None, *, replace: bool
) -> token.Token:
    """A new token that all members know of. Raises SlipwayError."""
    if node is not None:
        check_node_name(node)
    if replace and node is None:
        raise SlipwayError("a token that replaces a member needs its name", hint="add --node NAME")
    issuer = folder.read(folder.authority)
    if issuer is None or not folder.member.exists():
        raise SlipwayError(
            "this node is not a member of a cluster", hint="tokens are made on a member"
        )
    members = pcsd.members()
    if node in members and not replace:
        raise SlipwayError(
            f"{node} is a member already",
            hint="if that machine was installed anew, add --replace",
        )
    addresses = [endpoint(links[0]) for name, links in members.items() if name != node]
    fingerprint = authority.fingerprint(authority.load_certificate(issuer))
    made = token.issue(addresses[:8], fingerprint, int(time.time() + seconds), node)
    shared.create(f"token-{made.id}", str(made.record(replace=replace)))
    return made


def listed(shared: Texts) -> tuple[Listed, ...]:
    """The tokens that are still good for something, those that run out first first."""
    known = Records(shared.texts())
    used = known.enrolments()
    rows = [
        Listed(
            id=record.id,
            node=record.node,
            expires=record.expires,
            replace=record.replace,
            state=f"used by {used[record.id].node}" if record.id in used else "unused",
        )
        for record in known.tokens().values()
        if record.expires > time.time() or record.id in used
    ]
    return tuple(sorted(rows, key=lambda row: (row.expires, row.id)))


def revoke(shared: Texts, token_id: str) -> None:
    """Make a token useless, also for a node that is joining with it. Raises SlipwayError."""
    known = Records(shared.texts())
    enrolment = known.enrolment(token_id)
    if token_id not in known.tokens() and enrolment is None:
        raise SlipwayError(f"there is no token {token_id}", hint="see: slipway token list")
    shared.delete(f"token-{token_id}")
    shared.delete(f"used-{token_id}")
