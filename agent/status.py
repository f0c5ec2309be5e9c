"""The one status object: what the agent reached since the machine was started.

It is the same in /run/slipway/status.json, `slipway status`, and the login banner. /run is
empty after a start, so a node is never ready because it once was.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.core.files import write_atomically
from agent.journal import State
from agent.plan import Progress

PATH = Path("/run/slipway/status.json")

Stage = Literal["not started", "converging", "retrying", "waiting for operator", "failed", "ready"]
Clock = Literal["synchronized", "not synchronized", "unknown"]


class Model(BaseModel):
    """An immutable record; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StepStatus(Model):
    """One step since the start of the machine; acted counts over the node's whole life."""

    state: State
    reason: str
    seconds: float
    acted: int


class Node(Model):
    """Who and where the node is. address and web_url are empty while it has no address."""

    fqdn: str
    address: str
    web_url: str
    kvm: Literal["present", "absent"]
    version: str


class Status(Model):
    """ready means that every step is done; unmet says, for each that is not, what is missing."""

    schema_version: Literal[1] = 1
    stage: Stage
    ready: bool
    unmet: tuple[str, ...]
    steps: dict[str, StepStatus] = {}
    node: Node | None = None
    clock: Clock = "unknown"


NOT_STARTED = Status(
    stage="not started",
    ready=False,
    unmet=("the agent has not started since the machine was started",),
)


def stage_of(progress: Mapping[str, Progress]) -> Stage:
    """The stage that the steps add up to; what needs a person most wins."""
    states = {step.state for step in progress.values()}
    if states <= {"done"}:
        return "ready"
    if any(step.state == "failed" and step.retry_at is None for step in progress.values()):
        return "failed"
    if "waiting" in states:
        return "waiting for operator"
    return "retrying" if "failed" in states else "converging"


def unmet_of(progress: Mapping[str, Progress]) -> tuple[str, ...]:
    """One line for each step that is not done."""
    return tuple(
        f"{name}: {step.reason or step.state}"
        for name, step in progress.items()
        if step.state != "done"
    )


def publish(status: Status, path: Path) -> None:
    """Write the status where everybody may read it. Raises OSError."""
    write_atomically(path, status.model_dump_json(indent=2) + "\n")


def load(path: Path) -> Status:
    """The status as last published; NOT_STARTED when there is none that can be read."""
    try:
        return Status.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return NOT_STARTED
