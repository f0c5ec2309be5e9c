"""Which tables of the site file are for a machine: pure, most specific first, no ambiguity.

Each condition of `match` holds, does not hold, or is not known yet: boot loaders tell less than
installers do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from agent.core.errors import SlipwayError
from image.serve.facts import Facts
from image.serve.site import Group, Machine, Match, Scope, Site

# Conditions of one value each, conditions on the identity, wildcards, letters beside the wildcards.
Specificity = tuple[int, int, int, int]
AnyScope = TypeVar("AnyScope", bound=Scope)


class Ambiguous(SlipwayError):
    """Two tables of the site file are equally specific for one machine."""


@dataclass(frozen=True)
class Matched:
    """The tables for a machine. open: more facts may lead to others."""

    group: Group | None
    machine: Machine | None
    open: bool


def find(site: Site, facts: Facts) -> Matched:
    """The most specific group and the most specific machine table. Raises Ambiguous."""
    results = [holds(scope.match, facts) for scope in (*site.groups, *site.machines)]
    return Matched(
        _best(site.groups, facts), _best(site.machines, facts), any(x is None for x in results)
    )


def holds(match: Match, facts: Facts) -> bool | None:
    """Whether all conditions hold; None if that is not known yet."""
    results = [_holds(pattern, values) for _, pattern, values in _conditions(match, facts)]
    if False in results:
        return False
    return None if None in results else True


def specificity(match: Match) -> Specificity:
    """How exactly the conditions say which machine they mean; the larger wins."""
    exact = pointers = wild = letters = 0
    for kind, pattern, _ in _conditions(match, Facts(())):
        if re.search(r"[*?\[]", pattern):
            wild += 1
            letters += len(re.sub(r"[*?]", "", pattern))
        elif kind.startswith("/"):
            pointers += 1
        else:
            exact += 1
    return exact, pointers, wild, letters


def _best(scopes: Sequence[AnyScope], facts: Facts) -> AnyScope | None:
    matching = sorted(
        (scope for scope in scopes if holds(scope.match, facts)),
        key=lambda scope: specificity(scope.match),
        reverse=True,
    )
    if not matching:
        return None
    first = matching[0]
    if len(matching) > 1 and specificity(matching[1].match) == specificity(first.match):
        raise Ambiguous(
            f"{first.name} and {matching[1].name} match this machine equally well",
            where="site file",
            hint="Make the match of one of them more exact.",
        )
    return first


def _conditions(match: Match, facts: Facts) -> Iterator[tuple[str, str, tuple[str, ...] | None]]:
    """Each condition: its kind, its pattern, and the machine's values, None if not known yet."""
    known = facts.identity is not None
    if match.mac:
        yield "mac", match.mac.lower().replace("-", ":"), facts.macs
    if match.serial:
        yield "serial", match.serial, (facts.serial,) if facts.serial or known else None
    if match.uuid:
        yield "uuid", match.uuid.lower(), (facts.uuid,) if facts.uuid or known else None
    for pointer, pattern in match.identity.items():
        yield pointer, pattern, _values_at(facts.identity, pointer)


def _holds(pattern: str, values: tuple[str, ...] | None) -> bool | None:
    if values is None:
        return None
    return any(fnmatchcase(value, pattern) for value in values)


def _values_at(identity: Mapping[str, Any] | None, pointer: str) -> tuple[str, ...] | None:
    """What stands at a JSON pointer (RFC 6901), as text; `*` stands for every item of a list."""
    if identity is None:
        return None
    found: list[Any] = [identity]
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        found = [child for value in found for child in _children(value, key)]
    return tuple(_text(value) for value in found if not isinstance(value, (dict, list)))


def _children(value: object, key: str) -> list[Any]:
    if isinstance(value, dict):
        return [value[key]] if key in value else []
    if isinstance(value, list):
        if key == "*":
            return value
        return [value[int(key)]] if key.isdecimal() and int(key) < len(value) else []
    return []


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
