"""The join token: what a node needs to find a cluster, to recognise it, and to be let in.

It is base64url without padding over JSON: `v` version, `s` members as HOST:PORT, `fp` SHA-256 of
the authority's certificate, `id` 16 hexadecimal digits, `k` secret of 256 bits, and for clear
messages on the joining node `n` the name it is bound to and `e` its expiry, in seconds since 1970.
The members keep a hash of the secret, and decide by their own record.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.cluster.names import NODE_NAME
from agent.core.errors import SlipwayError

ID = r"[0-9a-f]{16}"
SHA256 = r"[0-9a-f]{64}"
ANY_NODE = "*"
MAXIMUM_CHARACTERS = 4096
_RECORD = re.compile(rf"({ID}):({SHA256}):([0-9]{{1,12}}):([a-z0-9-]+|\*):(new|replace)")
# Compared with when there is no such token, so that both cases do the same.
_NO_DIGEST = "0" * 64

Member = Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253}):[0-9]{1,5}$")]


class Record(BaseModel):
    """What the members know of a token. digest: SHA-256 of the secret; expires: seconds since
    1970; node: the only name that may use it, or "*"; replace: an old member of that name that
    is offline may be replaced.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=f"^{ID}$")
    digest: str = Field(pattern=f"^{SHA256}$")
    expires: int
    node: str
    replace: bool = False

    def __str__(self) -> str:
        mode = "replace" if self.replace else "new"
        return f"{self.id}:{self.digest}:{self.expires}:{self.node}:{mode}"

    @classmethod
    def parse(cls, text: str) -> Record:
        """From its text form, as in a kit and in the CIB. Raises SlipwayError."""
        match = _RECORD.fullmatch(text)
        if not match or not (match[4] == ANY_NODE or NODE_NAME.fullmatch(match[4])):
            raise SlipwayError("the record of a join token is damaged")
        return cls(
            id=match[1],
            digest=match[2],
            expires=int(match[3]),
            node=match[4],
            replace=match[5] == "replace",
        )


class Token(BaseModel):
    """A join token. Its text is a secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: Literal[1] = Field(1, alias="v")
    members: tuple[Member, ...] = Field(alias="s", min_length=1, max_length=32)
    fingerprint: str = Field(alias="fp", pattern=f"^{SHA256}$")
    id: str = Field(pattern=f"^{ID}$")
    secret: str = Field(alias="k", pattern=r"^[A-Za-z0-9_-]{43}$", repr=False)
    node: str | None = Field(None, alias="n", pattern=f"^{NODE_NAME.pattern}$")
    expires: int = Field(alias="e", ge=0, lt=10**12)

    def encode(self) -> str:
        """The token as one word."""
        text = self.model_dump_json(by_alias=True, exclude_none=True)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Token:
        """The token of this text; white space around it does not matter. Raises SlipwayError."""
        word = "".join(text.split())
        if not word or len(word) > MAXIMUM_CHARACTERS:
            raise _unreadable()
        try:
            data = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
            return cls.model_validate_json(data)
        except (ValueError, binascii.Error) as error:
            if isinstance(error, ValidationError) and _other_version(error):
                raise SlipwayError(
                    "the join token is of another version",
                    hint="make a new one on a member that has the same version of Slipway",
                ) from None
            # The error would show parts of the secret.
            raise _unreadable() from None

    def record(self, *, replace: bool = False) -> Record:
        """What the members are told about it."""
        return Record(
            id=self.id,
            digest=digest(self.secret),
            expires=self.expires,
            node=self.node or ANY_NODE,
            replace=replace,
        )


def issue(members: Sequence[str], fingerprint: str, expires: int, node: str | None = None) -> Token:
    """A new token. members: HOST:PORT of those that answer; expires: seconds since 1970."""
    return Token(
        members=tuple(members),
        fingerprint=fingerprint,
        id=secrets.token_hex(8),
        secret=secrets.token_urlsafe(32),
        node=node,
        expires=expires,
    )


def digest(secret: str) -> str:
    """What is stored of a secret: SHA-256, hexadecimal. 256 random bits need no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


def accepts(record: Record | None, secret: str, node: str, now: float) -> bool:
    """Whether this secret lets this node in.

    Every refusal, of an unknown token too, takes the same way through here.
    """
    known = hmac.compare_digest(record.digest if record else _NO_DIGEST, digest(secret))
    in_time = now < (record.expires if record else 0)
    own = (record.node if record else ANY_NODE) in (ANY_NODE, node)
    return known & in_time & own


def _other_version(error: ValidationError) -> bool:
    return any(problem["loc"] == ("v",) for problem in error.errors())


def _unreadable() -> SlipwayError:
    return SlipwayError(
        "this is not a join token", hint="copy it whole, or make one with: slipway token create"
    )
