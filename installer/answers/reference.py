"""The tables of docs/answer-file.md, rendered from the schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from installer.answers.allowed import Allowed, Node, describe
from installer.answers.positions import KeyPath
from installer.answers.schema import json_schema

HEADER = "| key | value | default | meaning |\n|---|---|---|---|"


def reference_tables(schema: Node | None = None) -> str:
    """Markdown: for each table a heading and a row for each key.

    schema: of the file; default: the answer file's.
    """
    allowed = Allowed(schema or json_schema())
    return "\n\n".join(_sections(allowed, (), set()))


def _sections(allowed: Allowed, path: KeyPath, done: set[str]) -> Iterator[str]:
    tables = [node for node in allowed.at(path) if "properties" in node]
    titles = {str(table["title"]) for table in tables}
    if titles <= done:
        return
    done |= titles
    keys = list(dict.fromkeys(key for table in tables for key in table["properties"]))
    rows = [_row(allowed, path, key, tables) for key in keys]
    yield "\n".join([f"### {_heading(path)}", "", HEADER, *rows])
    for key in keys:
        child = (*path, key)
        if any(node.get("type") == "array" for node in allowed.at(child)):
            child = (*child, 0)
        yield from _sections(allowed, child, done)


def _heading(path: KeyPath) -> str:
    if not path:
        return "Top level"
    name = ".".join(str(step) for step in path if isinstance(step, str))
    return f"`[[{name}]]`" if path[-1] == 0 else f"`[{name}]`"


def _row(allowed: Allowed, path: KeyPath, key: str, tables: Sequence[Node]) -> str:
    owners = [table for table in tables if key in table["properties"]]
    everywhere = len(owners) == len(tables)
    cells = (
        f"`{key}`",
        describe(allowed.at((*path, key))),
        _by_owner([(owner, _default(owner, key)) for owner in owners], True),
        _by_owner([(owner, _meaning(owner, key)) for owner in owners], everywhere),
    )
    return f"| {' | '.join(cell.replace('|', '\\|') for cell in cells)} |"


def _by_owner(texts: Sequence[tuple[Node, str]], everywhere: bool) -> str:
    """One text, or each with the members of the union that it belongs to."""
    different = list(dict.fromkeys(text for _, text in texts if text))
    if everywhere and len(different) == 1 and all(text for _, text in texts):
        return different[0]
    told = []
    for text in different:
        labels = ", ".join(f"`{_label(owner)}`" for owner, said in texts if said == text)
        told.append(f"{text} (with {labels})")
    return "; ".join(told)


def _label(table: Node) -> str:
    """What chooses this member of a union: the value of its one constant key."""
    return next(str(x["const"]) for x in table["properties"].values() if "const" in x)


def _meaning(table: Node, key: str) -> str:
    return str(table["properties"][key].get("description", ""))


def _default(table: Node, key: str) -> str:
    if key in table.get("required", ()):
        return "required"
    default = table["properties"][key].get("default")
    return (
        "" if default in (None, [], "") or isinstance(default, dict) else f"`{json.dumps(default)}`"
    )
