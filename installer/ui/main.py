"""The console program: one terminal's front end, or a shell."""

from __future__ import annotations

import select
import sys
import time
from pathlib import Path

from agent.core.errors import SlipwayError
from installer.command_line import COMMAND_LINE
from installer.report.server import SOCKET
from installer.ui.client import Connection
from installer.ui.front_end import FrontEnd, shell
from installer.ui.page import Do
from installer.ui.plain import Plain
from installer.ui.terminal import Terminal, this_terminal
from installer.ui.waiting import Waiting

# The boot menu's entry for a shell says this.
SHELL = "slipway.shell"
CONNECT_SECONDS = 120.0
RETRY_SECONDS = 0.5


def main(*, plain: bool, login: bool, path: Path = SOCKET) -> int:
    """Show the session on this terminal.

    login: this is what a console starts in place of a login; it is silent as long as the
    installation needs nobody, and becomes a shell where the installer does not run at all.
    """
    if login and SHELL in COMMAND_LINE.read_text().split():
        shell()
    terminal = this_terminal()
    connection = connect(path, CONNECT_SECONDS if login else 0.0)
    if connection is None:
        if login:
            shell()
        raise SlipwayError("the installer does not run", where=str(path))
    if login and terminal.console:
        Waiting(connection).until_needed(sys.stdin.fileno())
        if connection.ended:
            # The machine restarts, or the engine does; the next front end waits again.
            return 0
    place, wanted = _show(connection, terminal, path, plain or terminal.plain)
    if wanted and wanted.what == "shell":
        shell(place)
    return 0


def _show(
    connection: Connection, terminal: Terminal, path: Path, plain: bool
) -> tuple[str, Do | None]:
    """What a person wants at the end, and where an installed system is mounted then."""
    if plain:
        front = Plain(connection, terminal)
        wanted = front.run()
        connection.keep()
        dialogue = front.dialogue
    else:
        connection.close()
        screen = FrontEnd(lambda: Connection(path), terminal)
        wanted = screen.run()
        dialogue = screen.dialogue
    state = dialogue.view.state
    systems = state.systems if state.stage == "rescue" else ()
    return next((system.place for system in systems if system.place), ""), wanted


def connect(path: Path, seconds: float) -> Connection | None:
    """A connection to the engine, as soon as there is one; None after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            return Connection(path)
        except OSError:
            if time.monotonic() >= end:
                return None
            select.select([], [], [], RETRY_SECONDS)
