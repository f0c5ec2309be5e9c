"""A guest of this node, whatever it is."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.cluster.guests import model as definitions

Kind = Literal["machine", "container"]
# The same in keys of definitions.
KINDS: dict[definitions.Kind, Kind] = {"vm": "machine", "container": "container"}
State = Literal["running", "paused", "stopped", "other"]


class Model(BaseModel):
    """An immutable part of what is printed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Guest(Model):
    """A guest that is defined on this node, or runs here. memory_bytes: 0 without a limit."""

    kind: Kind
    name: str
    state: State
    cores: float
    memory_bytes: int
    start_at_boot: bool
    addresses: tuple[str, ...] = ()


class Owned(Model):
    """A guest of the cluster, and the member that it belongs to."""

    kind: Kind
    name: str
    node: str
