"""The words for each error that pydantic finds in an answer file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic_core import ErrorDetails

from installer.answers.allowed import Allowed, choices_of, describe
from installer.answers.positions import KeyPath
from installer.answers.problems import Problem, shown, suggestion

# More known keys than these are not listed after an unknown one.
LISTED_KEYS = 20


def explain(error: ErrorDetails, data: object, allowed: Allowed) -> Problem:
    """Say where in `data` the error is, what was given and what is allowed instead."""
    explainer = EXPLAINERS.get(error["type"], _explain_value)
    if error["loc"][-1:] == ("[key]",):
        explainer = _explain_name
    return explainer(error, data, allowed)


def locate(data: object, location: tuple[str | int, ...]) -> KeyPath:
    """The path in `data` of pydantic's location, which also names the members of unions."""
    path: KeyPath = ()
    for step in location:
        if isinstance(data, dict) and step in data:
            data = data[step]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            continue
        path = (*path, step)
    return path


def _explain_missing(error: ErrorDetails, data: object, allowed: Allowed) -> Problem:
    path = (*locate(data, error["loc"][:-1]), error["loc"][-1])
    return _missing(path, allowed)


def _explain_missing_tag(error: ErrorDetails, data: object, allowed: Allowed) -> Problem:
    tag = error["ctx"]["discriminator"].strip("'")
    return _missing((*locate(data, error["loc"]), tag), allowed)


def _missing(path: KeyPath, allowed: Allowed) -> Problem:
    meaning = allowed.meaning(path)
    expected = describe(allowed.at(path)) + (f" ({meaning})" if meaning else "")
    return Problem(path, f"is missing, expected {expected}")


def _explain_unknown_tag(error: ErrorDetails, data: object, allowed: Allowed) -> Problem:
    tag = error["ctx"]["discriminator"].strip("'")
    path = (*locate(data, error["loc"]), tag)
    return _refused(path, error["ctx"]["tag"], allowed)


def _explain_unknown(error: ErrorDetails, data: object, allowed: Allowed) -> Problem:
    path = locate(data, error["loc"])
    key, known = str(path[-1]), allowed.keys(path[:-1])
    members = [str(step) for step in error["loc"] if step not in path]
    if key.replace("_", "-") != key and key.replace("_", "-") in known:
        return Problem(path, f"is given twice, also as {key.replace('_', '-')}")
    if key in known:
        return Problem(
            path, f'is not allowed with "{members[-1]}"' if members else "is given twice"
        )
    hint = suggestion(key, known)
    if not hint and len(known) <= LISTED_KEYS:
        hint = f", expected one of {', '.join(sorted(known))}"
    return Problem(path, f"is not a known key{hint}")


def _explain_conflict(error: ErrorDetails, data: object, allowed: Allowed) -> Problem:
    return Problem(locate(data, error["loc"]), str(error["ctx"]["message"]))


def _explain_refused(error: ErrorDetails, data: object, allowed: Allowed) -> Problem:
    path = locate(data, error["loc"])
    return _refused(path, error["input"], allowed, str(error["ctx"]["allowed"]))


def _explain_name(error: ErrorDetails, data: object, allowed: Allowed) -> Problem:
    return Problem(locate(data, error["loc"][:-1]), f"cannot be a name here: {error['msg']}")


def _explain_value(error: ErrorDetails, data: object, allowed: Allowed) -> Problem:
    path = locate(data, error["loc"])
    return _refused(path, error["input"], allowed, describe(allowed.at(path)) or error["msg"])


def _refused(path: KeyPath, given: Any, allowed: Allowed, expected: str = "") -> Problem:
    nodes = allowed.at(path)
    secret = allowed.is_secret(path)
    choices = [str(choice) for choice in choices_of(nodes)]
    hint = "" if secret or len(choices) < 2 else suggestion(given, choices)
    expected = expected or describe(nodes)
    return Problem(path, f"{shown(given, nodes, secret)} is given, expected {expected}{hint}")


EXPLAINERS: dict[str, Callable[[ErrorDetails, object, Allowed], Problem]] = {
    "missing": _explain_missing,
    "extra_forbidden": _explain_unknown,
    "union_tag_not_found": _explain_missing_tag,
    "union_tag_invalid": _explain_unknown_tag,
    "conflict": _explain_conflict,
    "refused": _explain_refused,
}
