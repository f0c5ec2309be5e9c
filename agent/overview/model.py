"""What is passed between nodes, and what the page is given."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

# "node": what only this node knows; "cluster": what every member knows.
Subject = Literal["node", "cluster"]
SUBJECTS: tuple[Subject, ...] = ("node", "cluster")


class Model(BaseModel):
    """An immutable record. Members may differ in version: what is not known is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Part(Model):
    """What one command printed with --json; error: why it printed nothing."""

    value: Any = None
    error: str = ""


class Answer(Model):
    """What a node said of a subject. error: why it said nothing; heard: seconds since it last
    did, None when it never has.
    """

    parts: dict[str, Part] = {}
    error: str = ""
    heard: float | None = None


class Problem(Model):
    """Something a person should know. todo: what helps, empty when nothing has to be done."""

    level: Literal["danger", "warning", "info"]
    what: str
    todo: str = ""
    node: str = ""


class Overview(Model):
    """Everything. node: which one asked the others; alone: it belongs to no cluster."""

    schema_version: Literal[1] = 1
    node: str
    alone: bool = False
    cluster: Answer
    nodes: dict[str, Answer]
    problems: tuple[Problem, ...] = ()
