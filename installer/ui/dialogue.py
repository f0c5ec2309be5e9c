"""One front end's part of the session: lines from the engine in, pages and commands out.

Nothing here waits or draws; urwid and the line mode are around it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from installer.inventory.model import Inventory
from installer.report.events import Event
from installer.session.protocol import Attach, Command, Reply, State
from installer.session.session import command_line
from installer.ui.page import Do, Effects, Go, Page, Remember
from installer.ui.pages import ASIDE, CHOICES, page_of
from installer.ui.progress import Progress
from installer.ui.text import set_language
from installer.ui.view import View


class Dialogue:
    """What is shown, and what keys lead to. send: a line to the engine; do: what the front end
    does itself."""

    def __init__(self, send: Callable[[bytes], None], do: Callable[[Do], None], name: str) -> None:
        self.view = View()
        self.name = name
        self._send = send
        self._do = do
        self._number = 0
        self._waiting: dict[int, str] = {}
        self._home = "hardware"
        # A problem with the last command, until something else is done.
        self.error = ""

    @property
    def pending(self) -> bool:
        """Whether commands are on their way, so that the state is older than what was typed."""
        return bool(self._waiting)

    @property
    def judged(self) -> bool:
        """Whether what the state says about the choices is about all that was typed."""
        state = self.view.state
        # Only while people choose the engine checks anything.
        checked = state.stage != "choosing" or state.checked >= state.version
        return checked and not self.pending

    def page(self) -> Page:
        """The page to show now."""
        return page_of(self.view)

    def connected(self, console: str) -> None:
        """A new connection: everything comes once more."""
        self._waiting.clear()
        self.view = replace(self.view, progress=Progress())
        self.apply((Attach(name=self.name, console=console),))

    def receive(self, line: bytes) -> None:
        """One line from the engine."""
        told = json.loads(line)
        if "phase" in told:
            event = Event.model_validate(told)
            self.view = replace(self.view, progress=self.view.progress.after(event))
        elif "state" in told:
            self._take(State.model_validate(told["state"]))
        elif "inventory" in told:
            inventory = Inventory.model_validate(told["inventory"])
            self.view = replace(self.view, inventory=inventory)
        else:
            self._answered(Reply.model_validate(told))

    def _take(self, state: State) -> None:
        if state.stage != self.view.state.stage and self.view.page in ASIDE:
            self.view = replace(self.view, page=self._home)
        set_language(state.language)
        self.view = replace(self.view, state=state)

    def _answered(self, reply: Reply) -> None:
        command = self._waiting.pop(reply.id, "")
        self.view = replace(self.view, replies={**self.view.replies, command: reply})
        self.error = reply.error

    def apply(self, effects: Effects) -> None:
        """Do what a key led to."""
        self.error = ""
        for effect in effects:
            match effect:
                case Go():
                    self._go(effect.page)
                case Remember():
                    self.view = self.view.remember(effect.name, effect.value)
                case Do():
                    self._do(effect)
                case _:
                    self._command(effect)

    def _go(self, page: str) -> None:
        if page in ASIDE:
            if self.view.page in CHOICES:
                self._home = self.view.page
            # What was said at an earlier visit is not news.
            kept = {k: v for k, v in self.view.replies.items() if k in ("sticks", "answer-file")}
            kept = kept if page == "qr" or self.view.page == "qr" else {}
            self.view = replace(self.view, replies=kept)
        self.view = replace(self.view, page=page or self._home)

    def _command(self, command: Command) -> None:
        self._number += 1
        self._waiting[self._number] = command.command
        replies = {k: v for k, v in self.view.replies.items() if k != command.command}
        self.view = replace(self.view, replies=replies)
        self._send(command_line(self._number, command))

    def notice(self) -> str:
        """Who else has just changed something; nothing when it was this front end."""
        changed = self.view.state.changed
        if changed is None or changed.by in ("", self.name) or self.view.state.stage != "choosing":
            return ""
        return f"{changed.by}: {'.'.join(changed.path)}"
