"""What is drawn in front of a page: a list to choose from, a text to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import urwid

from installer.ui.page import Choice, Effects
from installer.ui.text import _
from installer.ui.view import View
from installer.ui.widgets import Line, Pressed

WIDTH, MARGIN = 70, 4


class ListPopup:
    """The options of a choice. Typing keeps those that have the typed text in them."""

    def __init__(self, field: Choice, chosen: Callable[[Effects], None]) -> None:
        self._field = field
        self._chosen = chosen
        self._search = urwid.Edit(f"{_('Search')}: ")
        self._walker = urwid.SimpleFocusListWalker([])
        self._list = _TypedList(self._walker, self._search)
        urwid.connect_signal(self._search, "postchange", lambda _edit, _old: self._fill())
        self._fill()

    def _fill(self) -> None:
        wanted = self._search.edit_text.lower()
        options = [x for x in self._field.options if wanted in f"{x.value} {x.label}".lower()]
        rows = [
            urwid.AttrMap(Pressed(x.label, self._press(x.value)), "popup", "focus") for x in options
        ]
        nothing = urwid.AttrMap(urwid.Text(_("Nothing has these letters.")), "popup")
        self._walker[:] = rows or [nothing]
        if options and not wanted:
            values = [x.value for x in options]
            self._walker.set_focus(
                values.index(self._field.value) if self._field.value in values else 0
            )

    def _press(self, value: str) -> Callable[[], None]:
        return lambda: self._chosen(self._field.change(value))

    def refresh(self, _log: Sequence[str]) -> None:
        """Lists stay as they are."""

    def over(self, below: urwid.Widget, view: View) -> urwid.Widget:
        """The list in front of a page."""
        frame = urwid.Frame(self._list, header=urwid.AttrMap(self._search, "popup"))
        rows = min(len(self._field.options) + 3, view.height - MARGIN)
        columns = min(WIDTH, view.width - MARGIN)
        return _overlay(frame, self._field.label, below, (columns, rows), view.ascii)


class _TypedList(urwid.ListBox):  # type: ignore[misc]
    """A list whose other keys go to the search."""

    def __init__(self, walker: urwid.ListWalker, search: urwid.Edit) -> None:
        super().__init__(walker)
        self._search = search

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        # The space bar chooses, unless words are being typed.
        typed = len(key) == 1 and (key != " " or self._search.edit_text)
        if typed or key == "backspace":
            self._search.keypress((WIDTH,), key)
            return None
        left: str | None = super().keypress(size, key)
        return left


class TextPopup:
    """A text to read; Esc closes it. log: it is the log, and follows it."""

    def __init__(self, text: str, title: str, *, log: bool = False) -> None:
        self._title = title
        self._log = log
        self._length = 0
        self._walker = urwid.SimpleFocusListWalker([])
        self._show(text.splitlines())

    def _show(self, lines: Sequence[str]) -> None:
        self._length = len(lines)
        self._walker[:] = [urwid.AttrMap(Line(line), "popup") for line in lines or [""]]
        if self._log:
            self._walker.set_focus(len(self._walker) - 1)

    def refresh(self, log: Sequence[str]) -> None:
        """Follow the log."""
        if self._log and len(log) != self._length:
            self._show(log)

    def over(self, below: urwid.Widget, view: View) -> urwid.Widget:
        """The text in front of a page."""
        columns = view.width - 2 if self._log else min(WIDTH, view.width - MARGIN)
        needed = sum(x.base_widget.rows((columns - 2,)) for x in self._walker) + 2
        rows = view.height - 3 if self._log else min(needed, view.height - MARGIN)
        box, title = urwid.ListBox(self._walker), f"{self._title} ({_('Esc closes')})"
        return _overlay(box, title, below, (columns, rows), view.ascii)


def _overlay(
    box: urwid.Widget, title: str, below: urwid.Widget, size: tuple[int, int], ascii: bool
) -> urwid.Widget:
    columns, rows = size
    framed = urwid.AttrMap(urwid.LineBox(box, title, **frame_lines(ascii)), "popup")
    return urwid.Overlay(framed, below, "center", columns, "middle", max(rows, 5))


def frame_lines(ascii: bool) -> dict[str, str]:
    """The characters of frames; ASCII where single lines may be missing."""
    if not ascii:
        return {}
    corners = dict.fromkeys(("tlcorner", "trcorner", "blcorner", "brcorner"), "+")
    return {**corners, "tline": "-", "bline": "-", "lline": "|", "rline": "|"}
