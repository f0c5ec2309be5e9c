"""Names of guests in the cluster, and what the CIB says about each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["vm", "container"]
# Where every member has its copies.
COPIES = Path("/var/lib/slipway/definitions")
SUFFIXES: dict[Kind, str] = {"vm": ".xml", "container": ".conf"}
CLAIM, WANTED = "guest-", "copies-"
_PLAIN = re.compile(r"[^A-Za-z0-9.-]")
_ESCAPED = re.compile(r"(?:_[0-9A-F]{2})+")
_NAME = re.compile(rf"{CLAIM}(.+)__([0-9]+)")
_CLAIM = re.compile(r"([a-z0-9-]+):([0-9a-f]{64}(?:,[0-9a-f]{64})*)")


def key(kind: Kind, name: str) -> str:
    """What a guest is called in the CIB and in file names: `vm-web`.

    All but letters, digits, hyphens and dots is written as its bytes, `_20` for a blank.
    """

    def escape(match: re.Match[str]) -> str:
        return "".join(f"_{byte:02X}" for byte in match[0].encode())

    return f"{kind}-{_PLAIN.sub(escape, name)}"


def guest(key: str) -> tuple[Kind, str]:
    """Kind and name of the guest with this key."""

    def unescape(match: re.Match[str]) -> str:
        return bytes.fromhex(match[0].replace("_", "")).decode()

    kind, _, name = key.partition("-")
    return ("container" if kind == "container" else "vm"), _ESCAPED.sub(unescape, name)


def title(key: str) -> str:
    """The guest for a person: `vm web`."""
    return " ".join(guest(key))


def copy_of(key: str, folder: Path = COPIES) -> Path:
    """The file with a member's copy of the definition."""
    return folder / f"{key}{SUFFIXES[guest(key)[0]]}"


def digest(text: str) -> str:
    """SHA-256 of a definition, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Claim:
    """To whom a guest belongs, and which definitions of it are current.

    While the writer sends a new definition to the others, the last one is current too: should the
    writer die then, the guest starts from either. generation: grows with each change, and is a
    part of the text's name in the CIB, so that of two members that change a claim one alone
    succeeds; the highest counts.
    """

    node: str
    digests: tuple[str, ...]
    generation: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.node}:{','.join(self.digests)}"


def claim_name(key: str, generation: int) -> str:
    """The name of the text in the CIB. No key contains two underscores."""
    return f"{CLAIM}{key}__{generation}"


def claims(texts: Mapping[str, str]) -> dict[str, Claim]:
    """The claims that count, by the guests' keys. texts: Slipway's texts in the CIB."""
    found: dict[str, Claim] = {}
    for name, text in texts.items():
        place, match = _NAME.fullmatch(name), _CLAIM.fullmatch(text)
        if place and match:
            claim = Claim(match[1], tuple(match[2].split(",")), int(place[2]))
            if claim.generation >= found.get(place[1], claim).generation:
                found[place[1]] = claim
    return found


def claim_names(texts: Iterable[str], key: str, below: int | None = None) -> tuple[str, ...]:
    """Names of all texts about a guest; with `below` only those of earlier generations."""
    places = [place for name in texts if (place := _NAME.fullmatch(name)) and place[1] == key]
    return tuple(place[0] for place in places if below is None or int(place[2]) < below)


def wanting(texts: Mapping[str, str]) -> frozenset[str]:
    """Members that have asked for copies."""
    return frozenset(name.removeprefix(WANTED) for name in texts if name.startswith(WANTED))
