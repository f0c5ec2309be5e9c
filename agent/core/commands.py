"""Planned commands: run one after the other, taken back after a failure, or only printed."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.core.command import run


@dataclass(frozen=True)
class Command:
    """One program to run. undo: what takes its effect back; input: its standard input, without
    secrets, because it is shown; about_input: the same for a person, where it is not text;
    env: added to its environment; may_fail: its status does not matter.
    """

    argv: tuple[str, ...]
    undo: tuple[str, ...] = ()
    input: str | bytes = ""
    about_input: str = ""
    env: dict[str, str] = field(default_factory=dict)
    may_fail: bool = False

    def __str__(self) -> str:
        """The command as a person would type it into a shell."""
        settings = [f"{name}={shlex.quote(value)}" for name, value in self.env.items()]
        line = " ".join([*settings, shlex.join(self.argv)])
        line = f"{line} || true" if self.may_fail else line
        if self.about_input:
            about = "\n".join(f"#   {line}" for line in self.about_input.splitlines())
            return f"{line}\n# standard input, an archive of:\n{about}"
        if isinstance(self.input, str) and self.input:
            return f"{line} <<'END'\n{self.input.rstrip()}\nEND"
        return line


def command(*argv: str | Path, undo: Sequence[str | Path] = ()) -> Command:
    """A command without input."""
    return Command(tuple(map(str, argv)), tuple(map(str, undo)))


def remove_tree(path: str | Path) -> tuple[str | Path, ...]:
    """The words that remove a folder with all in it, but nothing of other file systems."""
    return "rm", "--recursive", "--force", "--one-file-system", path


def write_file(path: Path, text: str, mode: str = "0640") -> Command:
    """Write a file of the node."""
    argv = ("install", f"--mode={mode}", "/dev/stdin", str(path))
    return Command(argv, undo=("rm", "--force", str(path)), input=text)


def perform(
    commands: Iterable[Command], runner: Callable[..., object] = run, *, undo: bool = True
) -> None:
    """Run all of them. After a failure, or Ctrl-C, those that ran are taken back, last first.

    Raises CommandFailed, ToolMissing of the one that failed.
    """
    done: list[Command] = []
    try:
        for each in commands:
            # Before it runs: one that fails may have done a part.
            done.append(each)
            runner(each.argv, input=each.input or None, env=each.env, check=not each.may_fail)
    except BaseException:
        for each in reversed(done if undo else []):
            if each.undo:
                runner(each.undo, check=False)
        raise


def explain(commands: Iterable[Command]) -> str:
    """The commands as a person would type them."""
    return "\n".join(map(str, commands))


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Add the option that has a command print what it would run."""
    parser.add_argument("--explain", action="store_true", help="print the commands, run none")


def execute(commands: Iterable[Command], *, explain: bool = False) -> None:
    """Run the commands, without taking any back, or only print them. Raises as `perform`."""
    if explain:
        for each in commands:
            print(each)
    else:
        perform(commands, run, undo=False)
