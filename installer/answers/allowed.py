"""What the JSON Schema of the answer file allows at each place, in words.

Messages take it from there, so that they, editors and the reference page say the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from installer.answers.positions import KeyPath

# Longer lists of allowed values are described instead.
SHOWN_CHOICES = 40
Node = Mapping[str, Any]


class Allowed:
    """What the JSON Schema allows at each place."""

    def __init__(self, schema: Node) -> None:
        self._schema = schema

    def at(self, path: KeyPath) -> tuple[Node, ...]:
        """All alternatives for what stands at `path`; older spellings of keys are known."""
        nodes = tuple(self._alternatives(self._schema))
        for step in path:
            nodes = tuple(
                alternative
                for node in nodes
                for child in _children(node, step)
                for alternative in self._alternatives(child)
            )
        return nodes

    def keys(self, path: KeyPath) -> frozenset[str]:
        """The keys that any table at `path` may have."""
        return frozenset(key for node in self.at(path) for key in node.get("properties", ()))

    def is_secret(self, path: KeyPath) -> bool:
        """Whether a value at `path`, or anything below it, must not be shown."""
        return any(self._holds_secret(node) for node in self.at(path))

    def meaning(self, path: KeyPath) -> str:
        """The description of what stands at `path`, or nothing."""
        return next((str(x["description"]) for x in self.at(path) if "description" in x), "")

    def _alternatives(self, node: Node) -> Iterator[Node]:
        described = {"description": node["description"]} if "description" in node else {}
        if "$ref" in node:
            name = node["$ref"].removeprefix("#/$defs/")
            yield from self._alternatives({**self._schema["$defs"][name], **described})
        elif "anyOf" in node or "oneOf" in node:
            for child in node.get("anyOf", node.get("oneOf", ())):
                yield from self._alternatives({**child, **described})
        elif node.get("type") != "null":
            yield node

    def _holds_secret(self, node: Node) -> bool:
        if node.get("writeOnly"):
            return True
        return any(self._holds_secret(x) for x in self._alternatives(node.get("items", {})) if x)


def _children(node: Node, step: str | int) -> Iterator[Node]:
    if isinstance(step, int):
        if isinstance(node.get("items"), Mapping):
            yield node["items"]
        return
    properties = node.get("properties", {})
    for key in dict.fromkeys((step, step.replace("_", "-"))):
        if key in properties:
            yield properties[key]
            return
    if isinstance(node.get("additionalProperties"), Mapping):
        yield node["additionalProperties"]
    yield from node.get("patternProperties", {}).values()


def describe(nodes: Sequence[Node]) -> str:
    """What the alternatives allow, as a noun phrase; empty when they say nothing."""
    choices = choices_of(nodes)
    if len(choices) > SHOWN_CHOICES:
        return "one of the names that the schema lists"
    phrases = [_one_of(choices)] if choices else []
    phrases += [_describe_one(x) for x in nodes if "enum" not in x and "const" not in x]
    return " or ".join(dict.fromkeys(phrase for phrase in phrases if phrase))


def choices_of(nodes: Sequence[Node]) -> list[object]:
    """All values of the alternatives that allow certain values only."""
    return [
        choice
        for node in nodes
        for choice in node.get("enum", [node["const"]] if "const" in node else ())
    ]


def _one_of(choices: Sequence[object]) -> str:
    names = list(dict.fromkeys(json.dumps(choice) for choice in choices))
    return f"one of {', '.join(names)}" if len(names) > 1 else names[0]


def _describe_one(node: Node) -> str:
    kind = node.get("type")
    if kind == "string":
        return _describe_string(node)
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _range(node)
    if kind == "array":
        return "a list" + _length(node)
    if kind == "object":
        return "a table with at least one key" if node.get("minProperties") else "a table"
    return "true or false" if kind == "boolean" else ""


def _describe_string(node: Node) -> str:
    if "pattern" in node:
        return f"a string that matches `{node['pattern']}`"
    if "maxLength" in node:
        return f"a string of at most {node['maxLength']} characters"
    return "a string"


def _length(node: Node) -> str:
    if "maxItems" in node:
        return f" of at most {node['maxItems']}"
    return f" of {node['minItems']} or more" if node.get("minItems") else ""


def _range(node: Node) -> str:
    bounds = (
        ("minimum", "from"),
        ("exclusiveMinimum", "above"),
        ("maximum", "to"),
        ("exclusiveMaximum", "below"),
    )
    return "".join(f" {word} {node[key]:.15g}" for key, word in bounds if key in node)
