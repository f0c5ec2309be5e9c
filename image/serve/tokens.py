"""Bearer tokens: each for one machine, one attempt and one purpose. Only digests are kept."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from dataclasses import dataclass
from typing import Literal

from agent.core.errors import SlipwayError
from image.serve.machines import Machine

Kind = Literal["answer", "events"]
BYTES = 24
# A machine that is about to start needs minutes; one that waits to be approved may need days.
ANSWER_SECONDS = 7 * 86400
# A machine may be switched on so often before it fetches its answer; older tokens end.
UNUSED = 20


class WrongToken(SlipwayError):
    """The token is none of this server, or was used, or is too old."""


@dataclass(frozen=True)
class Token:
    """What a token is good for. used: an answer was given for it."""

    digest: str
    machine: int
    attempt: int
    used: bool


def issue(db: sqlite3.Connection, machine: Machine, kind: Kind) -> str:
    """A new token for this attempt of the machine."""
    token = secrets.token_urlsafe(BYTES)
    db.execute(
        "DELETE FROM tokens WHERE used_at IS NULL AND digest IN (SELECT digest FROM tokens "
        "WHERE machine = ? AND kind = ? ORDER BY made_at DESC LIMIT -1 OFFSET ?)",
        (machine.id, kind, UNUSED - 1),
    )
    db.execute(
        "INSERT INTO tokens (digest, machine, attempt, kind, made_at) VALUES (?, ?, ?, ?, ?)",
        (_digest(token), machine.id, machine.attempt, kind, time.time()),
    )
    return token


def check(db: sqlite3.Connection, token: str, kind: Kind) -> Token:
    """What the token is good for. Raises WrongToken."""
    row = db.execute(
        "SELECT digest, machine, attempt, used_at, made_at, closed FROM tokens "
        "WHERE digest = ? AND kind = ?",
        (_digest(token), kind),
    ).fetchone()
    if row is None:
        raise WrongToken("this token is not known here")
    if row["closed"]:
        raise WrongToken("this token was used", hint="To install again, press Retry on the page.")
    if kind == "answer" and time.time() - row["made_at"] > ANSWER_SECONDS:
        raise WrongToken("this token is too old", hint="Start the machine again.")
    return Token(row["digest"], row["machine"], row["attempt"], row["used_at"] is not None)


def used(db: sqlite3.Connection, token: Token) -> None:
    """Note that something was given for the token."""
    db.execute("UPDATE tokens SET used_at = ? WHERE digest = ?", (time.time(), token.digest))


def close(db: sqlite3.Connection, machine: int, attempt: int, kind: Kind) -> None:
    """All tokens of this kind, up to this attempt of the machine, are good for nothing more."""
    db.execute(
        "UPDATE tokens SET closed = 1 WHERE machine = ? AND attempt <= ? AND kind = ?",
        (machine, attempt, kind),
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
