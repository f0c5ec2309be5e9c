"""urwid's loop around the dialogue: keys and the engine's lines in, pages out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import urwid

from installer.ui.client import Connect, Connection
from installer.ui.dialogue import Dialogue
from installer.ui.page import Do
from installer.ui.screen import PALETTE, Screen
from installer.ui.terminal import Terminal
from installer.ui.text import _

# How often a connection that was lost is tried again.
RETRY_SECONDS = 1.0


class FrontEnd:
    """One terminal's part of the session. It may end at any time; the session goes on."""

    def __init__(self, connect: Connect, terminal: Terminal) -> None:
        self._connect = connect
        self._terminal = terminal
        self._connection: Connection | None = None
        self._watched: object = None
        self._then: Do | None = None
        self.dialogue = Dialogue(self._send, self._do, terminal.name)
        self._size((terminal.columns, terminal.rows))
        self.screen = Screen(self.dialogue)
        self._loop = urwid.MainLoop(
            self.screen.widget,
            PALETTE,
            screen=urwid.raw_display.Screen(),
            handle_mouse=False,
            unhandled_input=self._key,
            input_filter=self._filter,
        )

    def run(self) -> Do | None:
        """Until a person wants something else, which is given, or the terminal is gone."""
        self._loop.screen.set_terminal_properties(colors=16)
        self._try_connect()
        self.screen.refresh()
        self._loop.run()
        if self._connection:
            if self._then:
                self._connection.keep()
            else:
                self._connection.close()
        return self._then

    def _try_connect(self, *_arguments: object) -> None:
        try:
            self._connection = self._connect()
        except OSError:
            self.dialogue.error = _("The installer does not answer; trying again.")
            self._loop.set_alarm_in(RETRY_SECONDS, self._try_connect)
            self.screen.refresh()
            return
        self.dialogue.error = ""
        self._watched = self._loop.watch_file(self._connection.fileno(), self._hear)
        self.dialogue.connected(self._terminal.console)

    def _hear(self) -> None:
        connection = self._connection
        if connection is None:
            return
        for line in connection.receive():
            self.dialogue.receive(line)
        if connection.ended:
            self._loop.remove_watch_file(self._watched)
            connection.close()
            self._connection = None
            self._try_connect()
        self.screen.refresh()

    def _send(self, line: bytes) -> None:
        if self._connection:
            self._connection.send(line)

    def _do(self, wanted: Do) -> None:
        if wanted.what == "show-log":
            self.screen.show_log()
        else:
            self._then = wanted
            raise urwid.ExitMainLoop

    def _filter(self, keys: list[str], _raw: list[int]) -> list[str]:
        return list(self._meant(keys))

    def _meant(self, keys: list[str]) -> Iterator[str]:
        for key in keys:
            if key == "window resize":
                self._size(self._loop.screen.get_cols_rows())
            elif key == "ctrl l":
                # Something else has written to this terminal.
                self._loop.screen.clear()
            else:
                yield key
                continue
            self.screen.refresh()

    def _size(self, size: tuple[int, int]) -> None:
        ascii = self._terminal.ascii
        self.dialogue.view = replace(self.dialogue.view, width=size[0], height=size[1], ascii=ascii)

    def _key(self, key: str) -> bool:
        return self.screen.key(key)


def shell(place: str = "") -> None:
    """Become a shell, of the live system or of an installed one that is mounted at place.

    The program that started this one starts a new front end after it; nothing is lost, because
    this one holds nothing.
    """
    sys.stdout.write(_("exit leads back to the installer") + "\r\n")
    sys.stdout.flush()
    words = ["/bin/bash", "--login"]
    if place:
        words = ["chroot", place, *words]
        os.chdir(place)
    else:
        os.chdir(Path.home())
    os.execvp(words[0], words)
