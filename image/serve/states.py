"""What a machine is, what happens to it, and what it is told when it starts: one pure table.

seen → approved → installing → installed → ready, with failed and held beside them. Reports of the
machine are facts: one that changes nothing is recorded, none is refused. Commands of a person are
refused where they make no sense.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from agent.core.errors import SlipwayError

State = Literal["seen", "approved", "installing", "installed", "ready", "failed", "held"]
Boot = Literal["install", "disk", "hold"]
Command = Literal["approve", "retry", "hold"]
Report = Literal["answered", "restarted", "installed", "failed", "agent-failed", "ready"]
Input = Command | Report

STATES: tuple[State, ...] = get_args(State)
COMMANDS: tuple[Command, ...] = get_args(Command)


class Refused(SlipwayError):
    """The command makes no sense for a machine in this state."""


@dataclass(frozen=True)
class Standing:
    """A machine's state, and what it is told to start from."""

    state: State
    boot: Boot


NEW = Standing("seen", "hold")
APPROVED = Standing("approved", "install")
HELD = Standing("held", "hold")
# From the answer on the disks may have been written: only a person sends it to install again.
INSTALLING = Standing("installing", "disk")
INSTALLED = Standing("installed", "disk")
READY = Standing("ready", "disk")
INSTALL_FAILED = Standing("failed", "hold")
NODE_FAILED = Standing("failed", "disk")

TABLE: dict[tuple[State, Input], Standing] = {
    ("seen", "approve"): APPROVED,
    ("seen", "hold"): HELD,
    ("approved", "hold"): HELD,
    ("approved", "answered"): INSTALLING,
    ("approved", "failed"): INSTALL_FAILED,
    ("held", "approve"): APPROVED,
    ("held", "retry"): APPROVED,
    ("installing", "installed"): INSTALLED,
    ("installing", "failed"): INSTALL_FAILED,
    # It restarted before it told its result, which may have been lost: its disk decides.
    ("installing", "restarted"): NODE_FAILED,
    ("installing", "agent-failed"): NODE_FAILED,
    ("installing", "ready"): READY,
    ("installing", "retry"): APPROVED,
    ("installed", "agent-failed"): NODE_FAILED,
    ("installed", "ready"): READY,
    ("installed", "retry"): APPROVED,
    ("ready", "retry"): APPROVED,
    ("failed", "installed"): INSTALLED,
    ("failed", "failed"): INSTALL_FAILED,
    ("failed", "ready"): READY,
    ("failed", "retry"): APPROVED,
    ("failed", "hold"): HELD,
}


def after(standing: Standing, what: Input) -> Standing:
    """The standing after this input. Raises Refused for a command that makes no sense."""
    new = TABLE.get((standing.state, what))
    if new is None and what in COMMANDS:
        raise Refused(
            f"a machine that is {standing.state} cannot be given the command {what}",
            hint=f"Possible: {', '.join(commands(standing.state)) or 'none'}.",
        )
    return new or standing


def commands(state: State) -> tuple[Command, ...]:
    """The commands that make sense for a machine in this state."""
    return tuple(command for command in COMMANDS if (state, command) in TABLE)
