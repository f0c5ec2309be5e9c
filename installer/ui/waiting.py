"""Waiting until the installation needs a person: then a console shows its front end."""

from __future__ import annotations

import os
import select

from installer.ui.client import Connection
from installer.ui.dialogue import Dialogue
from installer.ui.page import Do

CHUNK_BYTES = 1024


class Waiting:
    """Follows the session and says nothing. The engine writes its lines to the console."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialogue = Dialogue(connection.send, _nothing, "")
        self._dialogue.connected("")

    def until_needed(self, terminal: int) -> None:
        """Wait until people have to choose, or one presses Enter here; or the engine has ended.

        terminal: the file descriptor that keys come from.
        """
        while not self._dialogue.view.state.attended and not self._connection.ended:
            ready, _w, _x = select.select([self._connection, terminal], [], [])
            if terminal in ready and b"\n" in os.read(terminal, CHUNK_BYTES):
                return
            if self._connection in ready:
                for line in self._connection.receive():
                    self._dialogue.receive(line)


def _nothing(_wanted: Do) -> None:
    """There are no buttons."""
