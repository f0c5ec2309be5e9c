"""The tables of docs/answer-file.md, rendered from the schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from installer.answers.allowed import Allowed, Node, describe
from installer.answers.positions import Path
from installer.answers.schema import json_schema

HEADER = "| key | value | default | meaning |\n|---|---|---|---|"


def reference_tables() -> str:
    """Markdown: for each table of the answer file a heading and a row for each key."""
    allowed = Allowed(json_schema())
    return "\n\n".join(_sections(allowed, (), set())) + "\n"


def _sections(allowed: Allowed, path: Path, done: set[str]) -> Iterator[str]:
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


def _heading(path: Path) -> str:
    if not path:
        return "Top level"
    name = ".".join(str(step) for step in path if isinstance(step, str))
    return f"`[[{name}]]`" if path[-1] == 0 else f"`[{name}]`"


def _row(allowed: Allowed, path: Path, key: str, tables: Sequence[Node]) -> str:
    child = (*path, key)
    nodes = allowed.at(child)
    owners = [table for table in tables if key in table["properties"]]
    meaning = allowed.meaning(child)
    if len(owners) < len(tables):
        labels = ", ".join(f"`{_label(table)}`" for table in owners)
        meaning = f"{meaning} (only with {labels})".strip()
    cells = (f"`{key}`", describe(nodes), _default(key, owners), meaning)
    return f"| {' | '.join(cell.replace('|', '\\|') for cell in cells)} |"


def _label(table: Node) -> str:
    """What chooses this member of a union: the value of its one constant key."""
    return next(str(x["const"]) for x in table["properties"].values() if "const" in x)


def _default(key: str, owners: Sequence[Node]) -> str:
    requiring = [table for table in owners if key in table.get("required", ())]
    if requiring:
        labels = ", ".join(f"`{_label(table)}`" for table in requiring)
        return "required" if len(requiring) == len(owners) else f"required with {labels}"
    defaults = [table["properties"][key].get("default") for table in owners]
    if any(isinstance(default, dict) for default in defaults):
        return ""
    shown = [json.dumps(default) for default in defaults if default not in (None, [], "")]
    return f"`{shown[0]}`" if shown else ""
