"""The terminal that a front end is on: its name, its size, what it can draw."""

from __future__ import annotations

import os
import re
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

from agent.core.consoles import ACTIVE

# What a terminal that tells no size is taken for: a fresh serial line says 0 by 0.
COLUMNS, ROWS = 80, 24
SCREEN = re.compile(r"tty\d+")
# Terminals that cannot move their cursor.
PLAIN = frozenset({"", "dumb", "unknown", "network", "dialup"})


@dataclass(frozen=True)
class Terminal:
    """name: for other people; console: the device if it is one that the kernel writes to."""

    name: str
    console: str = ""
    columns: int = COLUMNS
    rows: int = ROWS
    ascii: bool = False
    plain: bool = False


def this_terminal() -> Terminal:
    """The terminal of standard input. A size that it does not have is set."""
    if not sys.stdin.isatty():
        return Terminal("ssh" if "SSH_CONNECTION" in os.environ else "pipe", plain=True)
    descriptor = sys.stdin.fileno()
    rows, columns = termios.tcgetwinsize(descriptor)
    if not rows or not columns:
        rows, columns = ROWS, COLUMNS
        termios.tcsetwinsize(descriptor, (rows, columns))
    name = os.ttyname(descriptor).removeprefix("/dev/")
    if "SSH_CONNECTION" in os.environ:
        client = os.environ["SSH_CONNECTION"].split()[0]
        return Terminal(f"SSH {client}", "", columns, rows, False, _is_plain())
    # A screen has a font with single lines; what is behind a serial line is not known.
    ascii = not SCREEN.fullmatch(name) and not name.startswith("pts/")
    console = name if name in kernel_consoles() else ""
    return Terminal(name, console, columns, rows, ascii, _is_plain())


def kernel_consoles(active: Path = ACTIVE) -> frozenset[str]:
    """The consoles that the kernel writes to; tty0 is the screen, whose first one is tty1."""
    try:
        names = active.read_text().split()
    except OSError:
        return frozenset()
    return frozenset("tty1" if name == "tty0" else name for name in names)


def _is_plain() -> bool:
    return os.environ.get("TERM", "") in PLAIN
