"""What is wrong with an answer file: a place, and words that complete "key: …"."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from agent.core.errors import SlipwayError
from installer.answers.allowed import Node
from installer.answers.positions import KeyPath

# No message shows more of a value than this many characters.
SHOWN_CHARACTERS = 60
# So many errors are shown; the rest is counted.
SHOWN_PROBLEMS = 40


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong at a place in the data."""

    path: KeyPath
    message: str


class AnswerError(SlipwayError):
    """The answer file cannot be used. `lines` tells each error with its place."""

    def __init__(self, name: str, lines: Sequence[str], total: int) -> None:
        self.lines = tuple(lines)
        self.total = total
        rest = [f"and {total - len(lines)} more"] if total > len(lines) else []
        super().__init__(
            f"the answer file has {total} error{'s' if total > 1 else ''}",
            where=name,
            hint="\n  ".join([*lines, *rest]),
        )


def key_text(path: KeyPath) -> str:
    """A path as it is written: disk-setup.data[0].name."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{_shorten(step)}"
    return text.removeprefix(".")


def _shorten(text: str) -> str:
    shown = text if text.isprintable() else json.dumps(text)
    return shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…"


def shown(value: object, nodes: Sequence[Node], secret: bool) -> str:
    """What was given, as far as it may be shown."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "a list"
    kinds = {node.get("type") for node in nodes}
    if secret:
        return "a hidden value"
    if isinstance(value, str) and kinds <= {"object", "array"}:
        # Perhaps a secret in the wrong place.
        return "a string"
    return _shorten(re.sub(r"(?<=//)\S*@", "***@", json.dumps(value, ensure_ascii=False)))


def suggestion(word: object, choices: Collection[str]) -> str:
    """A "did you mean" for a word that is nearly one of the choices, or nothing."""
    close = get_close_matches(str(word)[:SHOWN_CHARACTERS], sorted(choices), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""
