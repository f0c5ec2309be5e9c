"""How long this node's certificate, the cluster's authority and open join tokens are good for."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from agent.cluster import authority
from agent.cluster.cib import Cib
from agent.cluster.folder import Folder
from agent.cluster.tokens import Listed, listed
from agent.core.errors import CommandFailed, CommandTimeout


class Model(BaseModel):
    """An immutable part of the state."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OpenToken(Model):
    """A join token that is still good. node: its only user, or "*"; state: "unused", or who uses
    it.
    """

    id: str
    node: str
    ends: datetime.datetime
    state: str


class Credentials(Model):
    """Until when each is good; None for a certificate that is not there."""

    certificate_ends: datetime.datetime | None = None
    authority_ends: datetime.datetime | None = None
    tokens: tuple[OpenToken, ...] = ()


def read(folder: Folder = Folder()) -> Credentials:
    """As they are now. No tokens while the cluster does not run. Raises SlipwayError."""
    try:
        rows = listed(Cib())
    except (CommandFailed, CommandTimeout):
        rows = ()
    return Credentials(
        certificate_ends=_end(folder.read(folder.certificate)),
        authority_ends=_end(folder.read(folder.authority)),
        tokens=open_tokens(rows),
    )


def open_tokens(rows: Iterable[Listed]) -> tuple[OpenToken, ...]:
    """The tokens with their ends as times."""
    return tuple(
        OpenToken(
            id=row.id,
            node=row.node,
            ends=datetime.datetime.fromtimestamp(row.expires, datetime.UTC),
            state=row.state,
        )
        for row in rows
    )


def lines(found: Credentials) -> list[str]:
    """For a person."""
    said = []
    if found.certificate_ends and found.authority_ends:
        said.append(
            f"certificate: until {found.certificate_ends:%Y-%m-%d}, renewed before; "
            f"the cluster's authority until {found.authority_ends:%Y-%m-%d}"
        )
    for token in found.tokens:
        who = "any node" if token.node == "*" else token.node
        said.append(f"join token {token.id}: {who}, until {token.ends:%Y-%m-%d %H:%M} UTC")
    return said


def _end(pem: str | None) -> datetime.datetime | None:
    return authority.load_certificate(pem).not_valid_after_utc if pem else None
