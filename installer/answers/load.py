"""Reading an answer file: bytes in, a checked `Answer` or all that is wrong with it out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from installer.answers.allowed import Allowed
from installer.answers.explain import explain, locate
from installer.answers.parse import Document, parse
from installer.answers.positions import Format, KeyPath
from installer.answers.problems import AnswerError, Problem
from installer.answers.schema import Answer, json_schema

# A file of nonsense can have some hundred thousand errors, and explaining one takes a while.
MAXIMUM_EXPLAINED = 1000
SSH_KEY = re.compile(r"(?:ssh|ecdsa|sk)-[a-z0-9@.-]+ +AAAA[A-Za-z0-9+/=]+")


@dataclass(frozen=True)
class Loaded:
    """A valid answer, and what its author should know nevertheless."""

    answer: Answer
    warnings: tuple[str, ...]


def load_answer(text: bytes, name: str, format: Format = "toml") -> Loaded:
    """Parse and check an answer file; `name` stands for it in messages.

    Raises AnswerError with all that is wrong.
    """
    document = parse(text, name, format)
    allowed = _allowed()
    try:
        answer = Answer.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        raise explain_all(error, document, allowed) from None
    spellings = list(_other_spellings(document.data, allowed))
    if surplus := [Problem(path, "is not a known key") for path, key in spellings if not key]:
        raise document.error(surplus)
    warnings = [Problem(path, f"is the older spelling of {key}") for path, key in spellings]
    return Loaded(answer, tuple(document.lines([*warnings, *_remarks(answer)])))


@cache
def _allowed() -> Allowed:
    return Allowed(json_schema())


def explain_all(error: ValidationError, document: Document, allowed: Allowed) -> AnswerError:
    """All that a model, described by `allowed`, finds wrong with a document."""
    errors = _without_consequences(error.errors(include_url=False))
    errors.sort(key=lambda e: document.positions.offset(locate(document.data, e["loc"])))
    # Members of a union may each say the same.
    problems = dict.fromkeys(
        explain(details, document.data, allowed) for details in errors[:MAXIMUM_EXPLAINED]
    )
    total = len(errors) if len(errors) > MAXIMUM_EXPLAINED else len(problems)
    return document.error(list(problems), total)


def _without_consequences(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without the errors of lists that are too short only because their items are wrong."""
    parents = {error["loc"][:depth] for error in errors for depth in range(len(error["loc"]))}
    return [e for e in errors if e["type"] != "too_short" or e["loc"] not in parents]


def _other_spellings(
    data: object, allowed: Allowed, path: KeyPath = ()
) -> Iterator[tuple[KeyPath, str]]:
    """The keys that are spelled as the models' attributes are, and how they should be.

    That is the older snake_case of the Proxmox format, or nothing: global_ was never a key.
    """
    if isinstance(data, list):
        for number, item in enumerate(data):
            yield from _other_spellings(item, allowed, (*path, number))
    if isinstance(data, dict):
        known = allowed.keys(path)
        for key, value in data.items():
            newer = key.replace("_", "-")
            if known and key not in known:
                yield (*path, key), newer if newer in known else ""
            yield from _other_spellings(value, allowed, (*path, key))


def _remarks(answer: Answer) -> Iterator[Problem]:
    if answer.global_.subscription_key is not None:
        yield Problem(("global", "subscription-key"), "is not used: there are no subscriptions")
    for number, key in enumerate(answer.global_.root_ssh_keys):
        if not SSH_KEY.search(key):
            yield Problem(("global", "root-ssh-keys", number), "does not look like an SSH key")
    program, hook = answer.first_boot, answer.post_installation_webhook
    if program and program.url and program.url.startswith("http:"):
        yield Problem(("first-boot", "url"), "is plain HTTP: others can change the program")
    if hook and hook.auth_token and hook.url.startswith("http:"):
        yield Problem(("post-installation-webhook", "url"), "is plain HTTP: others see the token")
