"""Changes of the CIB that take effect all at once: made in a file, which pcs then pushes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agent.core.commands import Command, command

# Root alone writes there; the last change stays to be read.
FOLDER = Path("/run/slipway/cib")
BEFORE, AFTER = FOLDER / "before.xml", FOLDER / "after.xml"


def offline(words: Iterable[str], file: Path = AFTER) -> Command:
    """A command of pcs that changes the file."""
    return command("pcs", "-f", file, *words)


def transaction(changes: Iterable[Iterable[str]]) -> tuple[Command, ...]:
    """The commands that make these changes. Pacemaker never sees one without the others.

    changes: arguments of pcs.
    """
    return (
        command("install", "--directory", "--mode=0700", FOLDER),
        command("pcs", "cluster", "cib", BEFORE),
        command("cp", BEFORE, AFTER),
        *(offline(words) for words in changes),
        command("pcs", "cluster", "cib-push", AFTER, f"diff-against={BEFORE}"),
    )
