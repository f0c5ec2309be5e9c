"""What the members remember together about tokens and certificates, as texts in the CIB.

| name | text | from … until |
|---|---|---|
| `token-ID` | the token's record, see agent.cluster.token | issued … used, revoked or expired |
| `used-ID` | node, digest of its key, expiry, mode | token exchanged … node is a member |
| `issued-SERIAL` | node, end of the certificate | certificate signed … it runs out |
| `revoked-SERIAL` | since when, end of the certificate | node removed … it runs out |
| `signer-NODE` | nothing | node has the authority's key … node removed |
| `revocations` | the signed list, PEM in one line | first removal … |
| `rotation` | a number | grows with every removal |
| `guest-KEY__N` | node, digests, see agent.cluster.guests | guest defined … undefined |
| `copies-NODE` | nothing | node needs copies of definitions … has them |
| `replica-KEY` | seconds, nodes, see agent.replication | replication added … removed |
| `replicated-KEY__NODE` | how the last run went | the same |
| `ssh-NODE` | public keys for replication | node has a replica or its source … removed |
| `add-lock` | see agent.cluster.lock | |

Serial numbers are hexadecimal, times are seconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.cluster.token import Record
from agent.core.errors import SlipwayError

# How long a node that has its certificate may take to become a member.
OPEN_SECONDS = 7 * 86400
_USED = re.compile(r"([a-z0-9-]+):([0-9a-f]{64}):([0-9]+):(new|replace)")


class Texts(Protocol):
    """A place for texts that all members share; agent.cluster.cib.Cib is one."""

    def texts(self) -> dict[str, str]:
        """All texts by name."""

    def create(self, name: str, text: str) -> bool:
        """Write a new text; False when the name exists."""

    def replace(self, name: str, text: str) -> None:
        """Write a text, new or not."""

    def delete(self, name: str, text: str | None = None) -> None:
        """Delete a text; with `text` only if it is still this one."""


@dataclass(frozen=True)
class Enrolment:
    """A token that was exchanged for a certificate by a node that is not a member yet."""

    node: str
    key_digest: str
    expires: int
    replace: bool

    def __str__(self) -> str:
        mode = "replace" if self.replace else "new"
        return f"{self.node}:{self.key_digest}:{self.expires}:{mode}"

    @classmethod
    def parse(cls, text: str) -> Enrolment:
        """From its text. Raises SlipwayError."""
        match = _USED.fullmatch(text)
        if not match:
            raise SlipwayError("the record of an enrolment is damaged")
        return cls(match[1], match[2], int(match[3]), match[4] == "replace")


@dataclass(frozen=True)
class Certificate:
    """A certificate that was issued to a node. ends: seconds since 1970."""

    serial: int
    node: str
    ends: int


@dataclass(frozen=True)
class Revocation:
    """A certificate that does not count any more. Times are seconds since 1970."""

    serial: int
    since: int
    ends: int


@dataclass(frozen=True)
class Records:
    """A view of all records at one moment. texts: as read from the CIB."""

    texts: Mapping[str, str]

    def tokens(self) -> dict[str, Record]:
        """Tokens that were not used up yet, by id; damaged ones are left out."""
        return {
            record.id: record for record in map(_record, self._under("token-").values()) if record
        }

    def enrolment(self, token_id: str) -> Enrolment | None:
        """The enrolment that a token was exchanged for."""
        text = self.texts.get(f"used-{token_id}")
        return Enrolment.parse(text) if text else None

    def enrolments(self) -> dict[str, Enrolment]:
        """All open enrolments by their tokens' ids."""
        return {id: Enrolment.parse(text) for id, text in self._under("used-").items()}

    def certificates(self) -> tuple[Certificate, ...]:
        """Certificates that were issued and not revoked."""
        parted = ((serial, text.split(":")) for serial, text in self._under("issued-").items())
        return tuple(Certificate(int(s, 16), part[0], int(part[1])) for s, part in parted)

    def revocations(self) -> tuple[Revocation, ...]:
        """Revoked certificates, by serial number."""
        parted = ((serial, text.split(":")) for serial, text in self._under("revoked-").items())
        revoked = (Revocation(int(s, 16), int(part[0]), int(part[1])) for s, part in parted)
        return tuple(sorted(revoked, key=lambda revocation: revocation.serial))

    def signers(self) -> tuple[str, ...]:
        """Members that have the authority's key."""
        return tuple(sorted(self._under("signer-")))

    def revocation_list(self) -> str:
        """The signed list of revoked certificates, PEM; empty when there never was one."""
        return self.texts.get("revocations", "").replace("|", "\n")

    def rotation(self) -> int:
        """The number of the last rotation of keys."""
        return int(self.texts.get("rotation", "0"))

    def outdated(self, now: float) -> tuple[str, ...]:
        """Names of the texts whose time is over."""
        tokens = [f"token-{r.id}" for r in self.tokens().values() if r.expires <= now]
        used = [f"used-{id}" for id, e in self.enrolments().items() if e.expires <= now]
        issued = [f"issued-{c.serial:x}" for c in self.certificates() if c.ends <= now]
        revoked = [f"revoked-{r.serial:x}" for r in self.revocations() if r.ends <= now]
        return (*tokens, *used, *issued, *revoked)

    def _under(self, prefix: str) -> dict[str, str]:
        return {
            name.removeprefix(prefix): text
            for name, text in self.texts.items()
            if name.startswith(prefix)
        }


def consume(shared: Texts, token_id: str, enrolment: Enrolment) -> bool:
    """Use a token up for this node and key.

    True also when the same node with the same key has done so before; of several that try at
    once one alone succeeds, in the whole cluster.
    """
    name = f"used-{token_id}"
    if shared.create(name, str(enrolment)):
        return True
    now = shared.texts().get(name)
    if now is None:
        return False
    owner = Enrolment.parse(now)
    return (owner.node, owner.key_digest) == (enrolment.node, enrolment.key_digest)


def finish(shared: Texts, token_id: str) -> None:
    """The node is a member: its token has done its work. The mark goes last, as a token
    without a mark could be used again.
    """
    shared.delete(f"token-{token_id}")
    shared.delete(f"used-{token_id}")


def purge(shared: Texts, now: float) -> int:
    """Delete what is out of date; gives how many texts."""
    names = Records(shared.texts()).outdated(now)
    for name in names:
        shared.delete(name)
    return len(names)


def one_line(pem: str) -> str:
    """PEM text as `revocations` keeps it: an attribute of XML has no line ends."""
    return pem.replace("\n", "|")


def _record(text: str) -> Record | None:
    try:
        return Record.parse(text)
    except SlipwayError:
        return None
