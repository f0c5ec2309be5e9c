"""Manual pages, made from the command line itself: one for `slipway`, one for each command."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.__main__ import make_parser
from agent.core.template import render

FOLDER = Path("usr/share/man/man8")
# Of usage lines, whatever terminal the builder runs in.
WIDTH = 78


@dataclass(frozen=True)
class Entry:
    """One command line. arguments: each with its meaning."""

    name: str
    usage: str
    description: str
    arguments: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Page:
    """One manual page; the first entry is the command itself, the others are its actions."""

    title: str
    summary: str
    entries: tuple[Entry, ...]


def write_pages(tree: Path, version: str) -> None:
    """Write every page below the tree."""
    pages = list(pages_of(make_parser()))
    (tree / FOLDER).mkdir(parents=True)
    for page in pages:
        others = sorted(other.title for other in pages if other != page)
        text = render("manual/slipway.8", page=page, others=others, version=version)
        (tree / FOLDER / f"{page.title}.8").write_text(text)


def pages_of(parser: argparse.ArgumentParser) -> Iterator[Page]:
    """The pages of a command line with commands."""
    yield Page(parser.prog, parser.description or "", (_entry(parser),))
    for name, summary, command in commands_of(parser):
        yield Page(f"{parser.prog}-{name}", summary, tuple(_entries(command)))


def commands_of(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Name, summary and parser of each command of the parser."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            summaries = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield name, summaries.get(name, ""), command


def _entries(parser: argparse.ArgumentParser) -> Iterator[Entry]:
    yield _entry(parser)
    for _, _, action in commands_of(parser):
        yield from _entries(action)


def _entry(parser: argparse.ArgumentParser) -> Entry:
    formatter = argparse.HelpFormatter(parser.prog, width=WIDTH)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups)
    usage = formatter.format_help().removeprefix("usage: ").rstrip()
    arguments = tuple(
        (_invocation(action), _meaning(action))
        for action in parser._actions
        if not isinstance(action, argparse._SubParsersAction | argparse._HelpAction)
    )
    commands = tuple((name, summary) for name, summary, _ in commands_of(parser))
    return Entry(parser.prog, usage, parser.description or "", (*arguments, *commands))


def _invocation(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if not action.option_strings:
        return value
    return ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {value}")


def _meaning(action: argparse.Action) -> str:
    words = (action.help or "") % {"default": action.default, "prog": ""}
    return words if words != argparse.SUPPRESS else ""
