"""From the bytes of an answer file to its data, within limits of size, depth and time."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from installer.answers.positions import (
    Format,
    KeyPath,
    Positions,
    find_positions,
    line_and_column,
)
from installer.answers.problems import SHOWN_PROBLEMS, AnswerError, Problem, key_text

MAXIMUM_BYTES = 1 << 20
# Real files have 6 levels.
MAXIMUM_DEPTH = 32
# tomllib needs minutes for one key of many thousand parts, so these never reach it. No text that
# is not a key looks like this.
MAXIMUM_PARTS = 100
LONG_KEY = re.compile(
    r"(?<![A-Za-z0-9_-])(?:(?:[A-Za-z0-9_-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+\.[ \t]*+)"
    f"{{{MAXIMUM_PARTS}}}"
)
TOO_DEEP = f"tables and lists are nested more than {MAXIMUM_DEPTH} levels deep"
# TOML's and JSON's readers take longer ones than any program after them.
MAXIMUM_INTEGER = 2**63 - 1
# Tabs and line ends may stand in keys and scripts; nothing here needs another one of these.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True)
class Document:
    """A parsed answer file, still unchecked."""

    name: str
    data: Any
    positions: Positions

    def error(self, problems: Sequence[Problem], total: int = 0) -> AnswerError:
        """The error that tells these problems. total: how many there are, if not these alone."""
        return AnswerError(self.name, self.lines(problems), total or len(problems))

    def lines(self, problems: Sequence[Problem]) -> list[str]:
        """One line for each problem, in their order in the file; long lists are cut."""
        told = []
        ordered = sorted(problems, key=lambda problem: self.positions.offset(problem.path))
        for problem in ordered[:SHOWN_PROBLEMS]:
            place = line_and_column(self.positions.text, self.positions.offset(problem.path))
            key = key_text(problem.path)
            told.append(
                _line(self.name, place, f"{key}: {problem.message}" if key else problem.message)
            )
        return told


def _line(name: str, place: tuple[int, int], message: str) -> str:
    return f"{name}:{place[0]}:{place[1]}: {message}"


def parse(content: bytes, name: str, format: Format) -> Document:
    """Parse TOML or JSON. Raises AnswerError for what is not, and for what is beyond limits."""
    if len(content) > MAXIMUM_BYTES:
        limit = MAXIMUM_BYTES // 1024
        raise AnswerError(name, [f"{name}: it is larger than {limit} KiB"], 1)
    text = _decode(content, name)
    data = _parse_toml(text, name) if format == "toml" else _parse_json(text, name)
    document = Document(name, data, Positions(text, {}, ()))
    if _too_deep(data):
        raise document.error([Problem((), TOO_DEEP)])
    document = Document(name, data, find_positions(text, format))
    problems = [Problem(path, "is given twice") for path in document.positions.repeated]
    problems += _check_values(data)
    if problems:
        raise document.error(problems)
    return document


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig").replace("\r\n", "\n")
        place = line_and_column(before, len(before))
        message = "this is not UTF-8 text; save the file as UTF-8"
        raise AnswerError(name, [_line(name, place, message)], 1) from None


def _parse_toml(text: str, name: str) -> object:
    if found := LONG_KEY.search(text):
        place = line_and_column(text, found.start())
        raise AnswerError(name, [_line(name, place, TOO_DEEP)], 1)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise AnswerError(name, [_line(name, (1, 1), TOO_DEEP)], 1) from None
    except ValueError as error:
        said = str(error)
        found = TOML_PLACE.search(said)
        place = line_and_column(text, len(text))
        if found and found[1]:
            place = int(found[1]), int(found[2])
        message = f"not valid TOML: {TOML_PLACE.sub('', said)}"
        raise AnswerError(name, [_line(name, place, message)], 1) from None


def _parse_json(text: str, name: str) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        raise AnswerError(name, [_line(name, (1, 1), TOO_DEEP)], 1) from None
    except json.JSONDecodeError as error:
        place = error.lineno, error.colno
        raise AnswerError(name, [_line(name, place, f"not valid JSON: {error.msg}")], 1) from None
    except ValueError as error:
        raise AnswerError(name, [_line(name, (1, 1), f"not valid JSON: {error}")], 1) from None


def _too_deep(data: object) -> bool:
    level = [data]
    for _ in range(MAXIMUM_DEPTH + 1):
        level = [child for value in level for child in _values(value)]
    return bool(level)


def _values(value: object) -> Sequence[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _check_values(data: object) -> Iterator[Problem]:
    """What TOML or JSON may hold, and no key of an answer file can."""
    waiting: list[tuple[KeyPath, object]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        if message := _check_value(value):
            yield Problem(path, message)
        if isinstance(value, list):
            waiting += [((*path, number), item) for number, item in enumerate(value)]
        elif isinstance(value, dict):
            for key, item in value.items():
                if CONTROL.search(key):
                    yield Problem((*path, key), "has a control character in its name")
                waiting.append(((*path, key), item))


def _check_value(value: object) -> str:
    if isinstance(value, str):
        return "has a control character in it" if CONTROL.search(value) else ""
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, int) and abs(value) > MAXIMUM_INTEGER:
        return f"must be a number of at most {MAXIMUM_INTEGER}"
    if value is None or isinstance(value, (bool, int, float, list, dict)):
        return ""
    return "is a date or a time, and nothing here takes one; put text in quotes"
