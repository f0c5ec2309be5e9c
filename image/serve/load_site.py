"""Reading a site file: a checked `Site`, or all that is wrong with it, with lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from pydantic import ValidationError

from agent.core.errors import SlipwayError
from image.serve.site import Site
from image.serve.templates import ENVIRONMENT
from installer.answers.allowed import Allowed
from installer.answers.load import explain_all
from installer.answers.parse import Document, parse
from installer.answers.positions import KeyPath
from installer.answers.problems import AnswerError, Problem, suggestion
from installer.answers.schema import json_schema as answer_schema

# The server tells each machine where to report.
OWN_TABLES = ("webhook",)
CLUSTER = "cluster"


class SiteError(SlipwayError):
    """The site file cannot be used. The hint has a line for each error, with its place."""


@dataclass(frozen=True)
class LoadedSite:
    """A valid site file. document: its text, for messages about places in it."""

    site: Site
    document: Document
    path: Path

    def error(self, problem: Problem) -> SiteError:
        """The error for a problem that shows only when a machine asks."""
        return SiteError(self.document.lines([problem])[0], hint="Correct it, and restart.")

    def resolve(self, path: Path) -> Path:
        """A path of the site file; a relative one starts at the file's folder."""
        return self.path.parent.absolute() / path


def load_site(path: Path) -> LoadedSite:
    """Read and check a site file. Raises SiteError with all that is wrong."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SiteError(f"cannot be read: {error.strerror}", where=str(path)) from None
    try:
        return _load(content, path)
    except AnswerError as error:
        many = "s" if error.total > 1 else ""
        raise SiteError(
            f"the site file has {error.total} error{many}", where=str(path), hint=error.hint
        ) from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the site file."""
    return Site.model_json_schema(by_alias=True, mode="validation")


def _load(content: bytes, path: Path) -> LoadedSite:
    document = parse(content, str(path), "toml")
    allowed = Allowed(json_schema())
    try:
        site = Site.model_validate_json(json.dumps(document.data), strict=False)
    except ValidationError as error:
        raise explain_all(error, document, allowed) from None
    problems = [problem for path_ in _answers(site) for problem in _check(document, path_)]
    if problems:
        raise document.error(problems)
    return LoadedSite(site, document, path)


def _answers(site: Site) -> Iterator[KeyPath]:
    yield ("answer",)
    for kind, scopes in (("groups", site.groups), ("machines", site.machines)):
        for number in range(len(scopes)):
            yield (kind, number, "answer")


def _check(document: Document, path: KeyPath) -> Iterator[Problem]:
    value = document.data
    for step in path:
        value = value.get(step, {}) if isinstance(value, dict) else value[step]
    for own in OWN_TABLES:
        if own in value:
            yield Problem((*path, own), "is set by the server itself")
    yield from _check_keys(value, (), path, Allowed(answer_schema()))


def _check_keys(value: Any, key: KeyPath, prefix: KeyPath, allowed: Allowed) -> Iterator[Problem]:
    """Keys that no answer file has, and strings that are no templates."""
    if isinstance(value, dict):
        known = allowed.keys(key)
        for name, item in value.items():
            path = (*key, name)
            if known and name not in known:
                hint = suggestion(name, known)
                yield Problem((*prefix, *path), f"is not a known key of answer files{hint}")
            else:
                yield from _check_keys(item, path, prefix, allowed)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _check_keys(item, (*key, number), prefix, allowed)
    elif isinstance(value, str):
        try:
            ENVIRONMENT.parse(value)
        except jinja2.TemplateSyntaxError as error:
            yield Problem((*prefix, *key), f"is not a valid template: {error.message}")
