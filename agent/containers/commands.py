"""Planned commands: run one after the other, taken back after a failure, or only printed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.core.command import run


@dataclass(frozen=True)
class Command:
    """One program to run. undo: what takes its effect back; input: its standard input;
    about_input: the same for a person, where it is not text.
    """

    argv: tuple[str, ...]
    undo: tuple[str, ...] = ()
    input: str | bytes = ""
    about_input: str = ""


def command(*argv: str | Path, undo: Sequence[str | Path] = ()) -> Command:
    """A command without input."""
    return Command(tuple(map(str, argv)), tuple(map(str, undo)))


def write_file(path: Path, text: str, mode: str = "0640") -> Command:
    """Write a file of the node."""
    argv = ("install", f"--mode={mode}", "/dev/stdin", str(path))
    return Command(argv, undo=("rm", "--force", str(path)), input=text)


def perform(
    commands: Sequence[Command], runner: Callable[..., object] = run, *, undo: bool = True
) -> None:
    """Run all of them. After a failure, or Ctrl-C, those that ran are taken back, last first.

    Raises CommandFailed, ToolMissing of the one that failed.
    """
    done: list[Command] = []
    try:
        for each in commands:
            # Before it runs: one that fails may have done a part.
            done.append(each)
            runner(each.argv, input=each.input or None)
    except BaseException:
        for each in reversed(done if undo else []):
            if each.undo:
                runner(each.undo, check=False)
        raise


def explain(commands: Sequence[Command]) -> str:
    """The commands as a person would type them."""
    return "\n".join(_explain(each) for each in commands)


def _explain(each: Command) -> str:
    words = shlex.join(each.argv)
    if each.about_input:
        lines = "\n".join(f"#   {line}" for line in each.about_input.splitlines())
        return f"{words}\n# standard input, an archive of:\n{lines}"
    if isinstance(each.input, str) and each.input:
        return f"{words} <<'END'\n{each.input.rstrip()}\nEND"
    return words
