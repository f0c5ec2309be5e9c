"""The templates in a site file: merged from defaults, group and machine, rendered in a sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from installer.answers.allowed import Allowed
from installer.answers.positions import KeyPath
from installer.answers.problems import Problem

ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
# A site file may have that many different templates before some are compiled again.
COMPILED = 10_000
NOT_TEXT = ({"integer"}, {"number"}, {"boolean"}, {"integer", "number"})


class TemplateProblem(Exception):
    """A template cannot be rendered for this machine."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True)
class Leaf:
    """A value of the site file that is no table, and where it stands there."""

    path: KeyPath
    value: Any


Tree = dict[str, "Tree | Leaf"]


def merge(layers: Sequence[tuple[KeyPath, Mapping[str, Any]]]) -> Tree:
    """One tree of all layers, given with their places: later ones win, table by table."""
    merged: Tree = {}
    for path, layer in layers:
        _lay(merged, layer, path)
    return merged


def _lay(tree: Tree, layer: Mapping[str, Any], path: KeyPath) -> None:
    for key, value in layer.items():
        if isinstance(value, Mapping):
            below = tree.get(key)
            if not isinstance(below, dict):
                below = tree[key] = {}
            _lay(below, value, (*path, key))
        else:
            tree[key] = Leaf((*path, key), value)


def render_tree(tree: Tree, values: Mapping[str, object], allowed: Allowed) -> dict[str, Any]:
    """Render every string of the tree.

    Where `allowed` wants a number or a truth value, what a template gives becomes one. Raises
    TemplateProblem.
    """
    return {key: _render(node, values, allowed, (key,)) for key, node in tree.items()}


def _render(
    node: Tree | Leaf, values: Mapping[str, object], allowed: Allowed, key: KeyPath
) -> object:
    if isinstance(node, dict):
        return {name: _render(x, values, allowed, (*key, name)) for name, x in node.items()}
    return _render_value(node.value, node.path, values, allowed, key)


def _render_value(
    value: Any, path: KeyPath, values: Mapping[str, object], allowed: Allowed, key: KeyPath
) -> object:
    if isinstance(value, list):
        return [
            _render_value(item, (*path, number), values, allowed, (*key, number))
            for number, item in enumerate(value)
        ]
    if isinstance(value, Mapping):
        return {
            name: _render_value(item, (*path, name), values, allowed, (*key, name))
            for name, item in value.items()
        }
    if not isinstance(value, str) or "{" not in value:
        return value
    text = render_text(value, path, values)
    kinds = {str(node.get("type")) for node in allowed.at(key)}
    return _typed(text) if kinds in NOT_TEXT and text != value else text


def render_text(template: str, path: KeyPath, values: Mapping[str, object]) -> str:
    """Render one string of the site file, at this place. Raises TemplateProblem."""
    try:
        return _compiled(template).render(values)
    except TemplateProblem:
        raise
    except Exception as error:
        # A template is a program: any error of Python may come out of it.
        message = f"the template cannot be rendered: {error}"
        raise TemplateProblem(Problem(path, message)) from None


@lru_cache(COMPILED)
def _compiled(template: str) -> jinja2.Template:
    return ENVIRONMENT.from_string(template)


def _typed(text: str) -> object:
    try:
        return json.loads(text.strip().lower())
    except ValueError:
        return text
