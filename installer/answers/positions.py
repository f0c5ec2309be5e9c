"""Where in an answer file each key and each list item stands.

No parser in Debian gives the positions of valid keys (tomllib and json give none, tomlkit keeps
none), so this one finds them in text that tomllib or json has already accepted. It relies on
that: it decides nothing about what is valid.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

KeyPath = tuple[str | int, ...]
Format = Literal["toml", "json"]

BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
REST_OF_LINE = re.compile(r"[^\n]*")
SEPARATOR = re.compile(r"[ \t\n]*[=:]")
DOT = re.compile(r"[ \t]*\.[ \t]*")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# The longest form first: """…""", '''…''' with up to two quotes before the closing three.
STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*+'{3,5}"
    r'|"(?:[^"\\]|\\.)*+"'
    r"|'[^']*'",
    re.DOTALL,
)
SCALAR = re.compile(r"[^,\]}#\n]+")


@dataclass(frozen=True)
class Positions:
    """places: the offset of each key or item; repeated: keys given twice (in JSON only)."""

    text: str
    places: dict[KeyPath, int]
    repeated: tuple[KeyPath, ...]

    def offset(self, path: KeyPath) -> int:
        """Where what is at `path` starts, or else what contains it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, 0)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, counted from 1, of an offset in characters."""
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def find_positions(text: str, format: Format) -> Positions:
    """Find all keys and items. The text must be valid and nested only a few levels deep."""
    return _Scanner(text, _toml_key if format == "toml" else json.loads).scan(format)


def _toml_key(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted[1:-1]
    return str(tomllib.loads(f"key = {quoted}")["key"])


class _Scanner:
    def __init__(self, text: str, unquote: Callable[[str], str]) -> None:
        self.text = text
        self.unquote = unquote
        self.offset = 0
        self.places: dict[KeyPath, int] = {}
        self.repeated: list[KeyPath] = []
        # How many [[tables]] of each name there are so far.
        self.counts: dict[KeyPath, int] = {}

    def scan(self, format: Format) -> Positions:
        self.skip(BLANK)
        if format == "json":
            self.value(())
        else:
            self.statements()
        return Positions(self.text, self.places, tuple(self.repeated))

    def statements(self) -> None:
        table: KeyPath = ()
        while self.offset < len(self.text):
            if self.text[self.offset] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip(REST_OF_LINE)
            self.skip(BLANK)

    def header(self) -> KeyPath:
        start = self.offset
        many = self.text.startswith("[[", start)
        self.offset += 2 if many else 1
        self.skip(BLANK)
        *parents, last = self.key()
        path: KeyPath = ()
        for part in parents:
            path = self.inside((*path, part), start)
        path = (*path, last)
        if many:
            self.counts[path] = self.counts.get(path, 0) + 1
        return self.inside(path, start)

    def inside(self, path: KeyPath, start: int) -> KeyPath:
        """Note a table; for a list of tables, its newest."""
        self.places.setdefault(path, start)
        if path in self.counts:
            path = (*path, self.counts[path] - 1)
            self.places.setdefault(path, start)
        return path

    def pair(self, table: KeyPath) -> None:
        start = self.offset
        *parents, last = self.key()
        for part in parents:
            table = (*table, part)
            self.places.setdefault(table, start)
        path = (*table, last)
        if path in self.places:
            self.repeated.append(path)
        self.places[path] = start
        self.skip(SEPARATOR)
        self.skip(BLANK)
        self.value(path)

    def key(self) -> list[str]:
        parts = []
        while True:
            if self.text[self.offset] in "\"'":
                parts.append(self.unquote(self.skip(STRING)))
            else:
                parts.append(self.skip(BARE_KEY))
            if not self.skip(DOT):
                return parts

    def value(self, path: KeyPath) -> None:
        first = self.text[self.offset]
        if first in "\"'":
            self.skip(STRING)
        elif first == "[":
            self.items("]", lambda number: self.item((*path, number)))
        elif first == "{":
            self.items("}", lambda number: self.pair(path))
        else:
            self.skip(SCALAR)

    def items(self, end: str, one: Callable[[int], None]) -> None:
        self.offset += 1
        number = 0
        while True:
            self.skip(BLANK)
            if self.text[self.offset] == end:
                self.offset += 1
                return
            if self.text[self.offset] == ",":
                self.offset += 1
                continue
            one(number)
            number += 1

    def item(self, path: KeyPath) -> None:
        self.places[path] = self.offset
        self.value(path)

    def skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.offset)
        if not found:
            return ""
        self.offset = found.end()
        return found.group()
