"""The dialogue line by line: for terminals without a cursor that moves, and for screen readers."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Sequence

from installer.ui.client import Connection
from installer.ui.dialogue import Dialogue
from installer.ui.page import Bar, Button, Choice, Do, Drawing, Effects, Field, Go, Many, Page, Text
from installer.ui.terminal import Terminal
from installer.ui.text import _

CHUNK_BYTES = 4096
# How often a changed state is looked for while nothing is typed.
WAIT_SECONDS = 0.2
# Lists that are longer are answered with the value itself.
LISTED = 30


class Moved(Exception):
    """Another page is shown now: by a key, or because the session has moved on."""


class Ended(Exception):
    """The terminal is gone, or a person wants something else."""


class Plain:
    """Asks one question after the other."""

    def __init__(self, connection: Connection, terminal: Terminal) -> None:
        self._connection = connection
        self._typed = b""
        self._then: Do | None = None
        self._told = 0
        self.dialogue = Dialogue(connection.send, self._do, terminal.name)
        self.dialogue.connected(terminal.console)

    def run(self) -> Do | None:
        """Until a person wants something else, which is given, or the terminal is gone."""
        try:
            while True:
                try:
                    self._page(self.dialogue.page())
                except Moved:
                    continue
        except Ended:
            return self._then

    def _page(self, page: Page) -> None:
        """Show one page and ask for all of its fields."""
        self._say("", f"=== {page.title} ===", *page.lines)
        if page.warning:
            self._say(*page.warning.splitlines())
        if page.name in ("installing", "looking", "leaving"):
            self._follow(page)
        for name in [field.name for field in page.fields]:
            # Made anew with every answer, so that each field is what it is now.
            field = next((x for x in self.dialogue.page().fields if x.name == name), None)
            if field:
                self._ask(page, field)
        self._ways(page)

    def _follow(self, page: Page) -> None:
        while True:
            log = self.dialogue.view.progress.log
            self._say(*log[min(self._told, len(log)) :])
            self._told = len(log)
            self._wait(page)

    def _ask(self, page: Page, field: Field) -> None:
        match field:
            case Text():
                self._ask_text(page, field)
            case Choice():
                self._ask_choice(page, field)
            case Many():
                self._ask_many(page, field)
            case Drawing():
                self._say(*field.lines)
            case Bar():
                self._say(f"{int(100 * field.done)} %")
            case Button():
                if self._read(page, f"{field.label}? [y/N] ").lower() in ("y", "j"):
                    self._apply(page, field.press)

    def _ask_text(self, page: Page, field: Text) -> None:
        shown = "" if field.secret else f" [{field.value}]"
        while True:
            typed = self._read(page, f"{field.label}{shown}: ")
            if not typed:
                return
            self._apply(page, field.change("" if typed == "-" else typed))
            if not (problem := self._problem(field.name)):
                return
            self._say(f"! {problem}")

    def _ask_choice(self, page: Page, field: Choice) -> None:
        values = [option.value for option in field.options]
        if len(values) <= LISTED:
            self._say(*(f"  {n}. {x.label}" for n, x in enumerate(field.options, 1)))
        shown = str(values.index(field.value) + 1) if field.value in values else field.value
        shown = shown if len(values) <= LISTED else field.value
        while typed := self._read(page, f"{field.label} [{shown}]: "):
            value = _chosen(typed, values)
            if value is not None:
                self._apply(page, field.change(value))
                return
            self._say(f"! {_('one of the list, please')}")

    def _ask_many(self, page: Page, field: Many) -> None:
        values = [option.value for option in field.options]
        for number, option in enumerate(field.options, 1):
            mark = "x" if option.value in field.values else " "
            self._say(f"  {number}. [{mark}] {option.label}", *([option.note] * bool(option.note)))
        while typed := self._read(page, f"{field.label} ({_('numbers')}): "):
            chosen = [_chosen(word, values) for word in typed.replace(",", " ").split()]
            if None not in chosen:
                self._apply(page, field.change(tuple(x for x in chosen if x is not None)))
                return
            self._say(f"! {_('numbers of the list, please')}")

    def _ways(self, page: Page) -> None:
        """The end of a page: on, back, or again."""
        page = self.dialogue.page()
        if page.blocked:
            self._say(f"! {page.blocked}")
        keys = [_("r again"), _("? help"), _("m menu")]
        keys = [
            *([_("Enter next")] if page.next else []),
            *([_("b back")] if page.back else []),
            *keys,
        ]
        match self._read(page, f"({', '.join(keys)}) ").lower():
            case "" if page.next and not page.blocked:
                self.dialogue.apply(page.next)
            case "?":
                self._say(page.help)
        raise Moved

    def _read(self, page: Page, prompt: str) -> str:
        """A line that is typed. b, ? and m work at every question."""
        while True:
            self._write(prompt)
            while b"\n" not in self._typed:
                self._wait(page)
            line, _end, self._typed = self._typed.partition(b"\n")
            typed = line.decode(errors="replace").strip()
            if typed == "?":
                self._say(page.help)
            elif typed == "b" and page.back:
                self.dialogue.apply(page.back)
                raise Moved
            elif typed == "m":
                self.dialogue.apply((Go("menu"),))
                raise Moved
            elif typed == "r":
                raise Moved
            else:
                return typed

    def _apply(self, page: Page, effects: Effects) -> None:
        """Do what was answered, and wait until the engine has heard and checked it."""
        self.dialogue.apply(effects)
        while not self.dialogue.judged:
            self._wait(None)
        if self.dialogue.error:
            self._say(f"! {self.dialogue.error}")
        if self.dialogue.page().name != page.name:
            raise Moved

    def _wait(self, page: Page | None) -> None:
        """Wait for a key or for news. Raises Moved when they lead to another page than this."""
        sources = [sys.stdin, self._connection]
        ready, _w, _x = select.select(sources, [], [], WAIT_SECONDS)
        if self._connection in ready:
            for line in self._connection.receive():
                self.dialogue.receive(line)
            if self._connection.ended:
                raise Ended
        if sys.stdin in ready:
            data = os.read(sys.stdin.fileno(), CHUNK_BYTES)
            if not data:
                raise Ended
            self._typed += data.replace(b"\r", b"\n")
        if page and self.dialogue.page().name != page.name:
            raise Moved

    def _problem(self, name: str) -> str:
        field = next((x for x in self.dialogue.page().fields if x.name == name), None)
        return getattr(field, "problem", "") if field else ""

    def _do(self, wanted: Do) -> None:
        if wanted.what == "show-log":
            self._say(*self.dialogue.view.progress.log)
        else:
            self._then = wanted
            raise Ended

    def _say(self, *lines: str) -> None:
        self._write("".join(f"{line}\n" for line in lines))

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _chosen(typed: str, values: Sequence[str]) -> str | None:
    """A value by its number or by itself."""
    if typed.isdigit() and 1 <= int(typed) <= len(values):
        return values[int(typed) - 1]
    return typed if typed in values else None
