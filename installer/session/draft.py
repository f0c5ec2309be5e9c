"""The draft: an answer file in the making, as data. Pure.

It has the answer file's own keys, so that the schema says what is wrong with it and saving it is
writing it down. Values that are not valid yet stay in it as they were typed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import SecretStr, TypeAdapter, ValidationError

from installer.answers.allowed import Allowed
from installer.answers.disks import DiskSetup
from installer.answers.explain import explain
from installer.answers.problems import Problem
from installer.answers.schema import Answer, json_schema

Document = dict[str, Any]
# What front ends see in place of a secret.
HIDDEN = "********"
# Consent comes from a person who types it in, at the time; a saved answer does not carry it.
CONSENT = {"wipe": "selected"}
DISK_SETUP: TypeAdapter[DiskSetup] = TypeAdapter(DiskSetup)


def with_value(document: Document, path: Sequence[str], value: object) -> Document:
    """A copy with one key set, in tables that are made where needed; None removes the key."""
    key, *rest = path
    copy = dict(document)
    if rest:
        inner = copy.get(key)
        copy[key] = with_value(inner if isinstance(inner, dict) else {}, rest, value)
    elif value is None:
        copy.pop(key, None)
    else:
        copy[key] = value
    return copy


def value_at(document: Document, path: Sequence[str | int]) -> Any:
    """What stands at this path, None when nothing does."""
    found: Any = document
    for key in path:
        if isinstance(key, int):
            found = found[key] if isinstance(found, list) and key < len(found) else None
        else:
            found = found.get(key) if isinstance(found, dict) else None
    return found


def check(document: Document) -> tuple[Answer | None, tuple[Problem, ...]]:
    """The answer if the draft is a valid one, and what is wrong with it if not."""
    try:
        return Answer.model_validate_json(json.dumps(document), strict=True), ()
    except ValidationError as error:
        found = (explain(one, document, allowed()) for one in error.errors(include_url=False))
        return None, tuple(dict.fromkeys(found))


def disk_setup(document: Document) -> DiskSetup | None:
    """The draft's [disk-setup] if it is valid by itself."""
    try:
        return DISK_SETUP.validate_json(json.dumps(document.get("disk-setup", {})), strict=True)
    except ValidationError:
        return None


@cache
def allowed() -> Allowed:
    """What the schema allows at each place."""
    return Allowed(json_schema())


def masked(document: Document) -> Document:
    """The draft as front ends see it: secrets hidden."""
    shown: Document = _masked(document, ())
    return shown


def _masked(value: Any, path: tuple[str | int, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _masked(inner, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, (*path, number)) for number, inner in enumerate(value)]
    return HIDDEN if value and allowed().is_secret(path) else value


def document_of(answer: Answer) -> Document:
    """The draft that an answer would have come from. Its secrets are in it."""
    document: Document = _plain(answer.model_dump(by_alias=True, exclude_unset=True))
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value.get_secret_value() if isinstance(value, SecretStr) else value
