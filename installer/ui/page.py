"""A page of the dialogue as data: what it says, what can be filled in, what each key leads to.

Pages are made anew from the state at every change; urwid and the line mode draw the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from installer.session.protocol import Command


@dataclass(frozen=True)
class Go:
    """Show another page."""

    page: str


@dataclass(frozen=True)
class Remember:
    """Keep something in this front end only, such as a password that was typed once."""

    name: str
    value: str


@dataclass(frozen=True)
class Do:
    """Something that the front end does itself."""

    what: Literal["shell", "show-log"]


Effect = Command | Go | Remember | Do
Effects = Sequence[Effect]


@dataclass(frozen=True)
class Option:
    """One of several values, and the words for it. note: more words, on a line of their own."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class Text:
    """A line to type in. normal: the typed text as the state would give it back."""

    name: str
    label: str
    value: str
    change: Callable[[str], Effects]
    problem: str = ""
    secret: bool = False
    normal: Callable[[str], str] = str.strip


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    name: str
    label: str
    value: str
    options: tuple[Option, ...]
    change: Callable[[str], Effects]
    problem: str = ""


@dataclass(frozen=True)
class Many:
    """Any number of several values."""

    name: str
    label: str
    values: tuple[str, ...]
    options: tuple[Option, ...]
    change: Callable[[tuple[str, ...]], Effects]
    problem: str = ""


@dataclass(frozen=True)
class Button:
    """Something that happens when it is pressed."""

    name: str
    label: str
    press: Effects


@dataclass(frozen=True)
class Drawing:
    """Lines that keep their form. long: a person scrolls through them."""

    name: str
    lines: tuple[str, ...]
    long: bool = False


@dataclass(frozen=True)
class Bar:
    """How much of something is done, 0 to 1."""

    name: str
    done: float


Field = Text | Choice | Many | Button | Drawing | Bar


@dataclass(frozen=True)
class Page:
    """One page.

    lines: paragraphs above the fields; warning: a paragraph that must be seen; next, back: what
    the keys do, empty when there is no such way; blocked: why there is no way on yet.
    """

    name: str
    title: str
    help: str
    lines: tuple[str, ...] = ()
    warning: str = ""
    fields: tuple[Field, ...] = ()
    next: Effects = ()
    next_label: str = ""
    back: Effects = ()
    blocked: str = ""
