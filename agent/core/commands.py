"""Planned commands: a list of programs to run, which can be shown to a person instead."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.core.command import run


@dataclass(frozen=True)
class Command:
    """One program to run. input: what it reads, without secrets, because it is shown;
    env: added to its environment; may_fail: its status does not matter.
    """

    argv: tuple[str, ...]
    input: str = ""
    env: dict[str, str] = field(default_factory=dict)
    may_fail: bool = False

    def __str__(self) -> str:
        """The command as a person would type it into a shell."""
        settings = [f"{name}={shlex.quote(value)}" for name, value in self.env.items()]
        line = " ".join([*settings, shlex.join(self.argv)])
        line = f"{line} || true" if self.may_fail else line
        return f"{line} <<'END'\n{self.input.rstrip()}\nEND" if self.input else line


def execute(commands: Iterable[Command], *, explain: bool = False) -> None:
    """Run the commands one after the other, or only print them.

    Raises CommandFailed at the first that fails.
    """
    for command in commands:
        if explain:
            print(command)
        else:
            run(command.argv, input=command.input, env=command.env, check=not command.may_fail)
