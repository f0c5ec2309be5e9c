"""The dialogue drawn with urwid: one page at a time, lists and help in front of it."""

from __future__ import annotations

from collections.abc import Callable

import urwid

from agent import __version__
from installer.ui.dialogue import Dialogue
from installer.ui.page import (
    Bar,
    Button,
    Choice,
    Drawing,
    Effects,
    Field,
    Go,
    Many,
    Page,
    Text,
)
from installer.ui.popup import ListPopup, TextPopup
from installer.ui.text import _
from installer.ui.widgets import (
    BarWidget,
    ButtonWidget,
    ChoiceWidget,
    DrawingWidget,
    FieldWidget,
    ManyWidget,
    TextWidget,
    same_kind,
)

# Name, foreground, background, and how it looks without colours. No colour stands alone: problems
# begin with "!", what has the focus is inverse or has the cursor.
PALETTE = [
    ("title", "white", "dark blue", "standout"),
    ("keys", "black", "light gray", "standout"),
    ("focus", "black", "dark cyan", "standout"),
    ("button", "light cyan", "default", "default"),
    ("problem", "light red", "default", "bold"),
    ("warning", "yellow", "default", "bold"),
    ("popup", "black", "light gray", "default"),
    ("field", "default", "default", "default"),
    ("drawing", "default", "default", "default"),
    ("bar", "light green", "default", "default"),
]
# Nothing can be asked for there: no choices yet, or no more.
WITHOUT_MENU = ("looking", "leaving")
# Rows of a long text, of what else a page with one needs.
AROUND_ROWS = 13
LEAST_ROWS = 4


class Screen:
    """Widgets for the dialogue's page, kept while they are the same field."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._widgets: dict[tuple[str, str], FieldWidget] = {}
        self._page: Page | None = None
        # The page that F9 was pressed on before it was known whether it is complete.
        self._hurried = ""
        self._walker = urwid.SimpleFocusListWalker([])
        self._body = urwid.ListBox(self._walker)
        self._title = urwid.Text("", wrap="clip")
        self._status = urwid.Text("", wrap="clip")
        self._keys = urwid.Text("", wrap="clip")
        footer = urwid.Pile([self._status, urwid.AttrMap(self._keys, "keys")])
        padded = urwid.Padding(self._body, left=1, right=1)
        self._frame = urwid.Frame(padded, urwid.AttrMap(self._title, "title"), footer)
        self._popup: ListPopup | TextPopup | None = None
        self.widget = urwid.WidgetPlaceholder(self._frame)

    def refresh(self) -> None:
        """Show what the dialogue says now."""
        if self._hurried and self._dialogue.judged:
            if self._hurried == self._dialogue.page().name:
                self._next()
            self._hurried = ""
        page = self._dialogue.page()
        if self._page is None or page.name != self._page.name:
            self._widgets.clear()
            self.close_popup()
        changed = self._page is None or page.name != self._page.name
        self._page = page
        self._fill(page, begin=changed)
        width = self._dialogue.view.width
        left, right = f" Slipway {__version__}", f"{self._dialogue.name} "
        self._title.set_text(f"{left}  {page.title}".ljust(width - len(right)) + right)
        self._status.set_text(self._status_text(page))
        self._keys.set_text(" " + "   ".join(self._key_texts(page)))
        if self._popup:
            self._popup.refresh(self._dialogue.view.progress.log)

    def _status_text(self, page: Page) -> list[tuple[str, str] | str]:
        wrong = self._dialogue.error or page.blocked
        notice = self._dialogue.notice()
        texts: list[tuple[str, str] | str] = [" "]
        if wrong:
            texts.append(("problem", f"! {' '.join(wrong.split())}  "))
        if notice:
            texts.append(f"{_('changed by')} {notice}")
        return texts

    def _key_texts(self, page: Page) -> list[str]:
        texts = [_("F1 Help")]
        if page.name in WITHOUT_MENU:
            return texts
        if page.name == "installing":
            return [*texts, _("F4 Log"), _("F10 Menu")]
        if page.back:
            texts.append(_("F8 Back"))
        if page.next:
            texts.append(_("F9 Next"))
        return [*texts, _("F10 Menu")]

    def _fill(self, page: Page, *, begin: bool) -> None:
        rows: list[urwid.Widget] = [urwid.Text(line) for line in page.lines]
        if page.warning:
            rows.append(urwid.Text(("warning", page.warning)))
        if rows:
            rows.append(urwid.Divider())
        rows += [self._widget(field).widget for field in page.fields]
        rows += self._ways(page)
        if [id(x) for x in rows if isinstance(x, urwid.Pile)] != self._shown() or begin:
            focused = self._walker.get_focus()[0] if self._walker and not begin else None
            self._walker[:] = rows
            # Fields come and go; the one with the focus keeps it.
            known = [number for number, row in enumerate(rows) if row is focused]
            self._walker.set_focus(known[0] if known else _first(rows))
            return
        # The same fields: only texts between them may differ.
        for number, row in enumerate(rows):
            if not isinstance(row, urwid.Pile):
                self._walker[number] = row

    def _shown(self) -> list[int]:
        return [id(x) for x in self._walker if isinstance(x, urwid.Pile)]

    def _widget(self, field: Field) -> FieldWidget:
        key = self._page.name if self._page else "", field.name
        known = self._widgets.get(key)
        if known and same_kind(known, field):
            known.update(field, pending=self._dialogue.pending)  # type: ignore[attr-defined]
            return known
        made = self._make(field)
        self._widgets[key] = made
        return made

    def _make(self, field: Field) -> FieldWidget:
        view = self._dialogue.view
        match field:
            case Text():
                return TextWidget(field, self.apply)
            case Choice():
                return ChoiceWidget(field, self.apply, self._open_list)
            case Many():
                return ManyWidget(field, self.apply)
            case Button():
                return ButtonWidget(field, self.apply)
            case Drawing():
                return DrawingWidget(field, self.apply, max(LEAST_ROWS, view.height - AROUND_ROWS))
            case Bar():
                return BarWidget(field, self.apply, ascii=view.ascii)

    def _ways(self, page: Page) -> list[urwid.Widget]:
        """The buttons at the end of a page on the way."""
        ways = []
        if page.next and page.name != "installing":
            button = Button("next", page.next_label or _("Next"), (Go(_NEXT),))
            ways.append(self._widget(button).widget)
        if page.back and page.name not in ("menu", "save", "send-log"):
            ways.append(self._widget(Button("way-back", _("Back"), page.back)).widget)
        return ways

    def apply(self, effects: Effects) -> None:
        """Do what a key led to, and show it."""
        for effect in effects:
            if effect == Go(_NEXT):
                self._next()
            else:
                self._dialogue.apply((effect,))
        self.refresh()

    def _next(self) -> None:
        page = self._dialogue.page()
        # The engine may not have checked yet what was typed just before the key.
        self._hurried = page.name if page.blocked and not self._dialogue.judged else ""
        if page.next and not page.blocked:
            self._dialogue.apply(page.next)

    def key(self, key: str) -> bool:
        """A key that no field wanted. Whether it has a meaning."""
        if self._popup and key in ("esc", "f1", "f4", "f8", "f10"):
            self.close_popup()
            return True
        page = self._dialogue.page()
        keys: dict[str, Callable[[], None]] = {
            "f1": lambda: self._open(TextPopup(page.help, _("Help"))),
            "f4": self.show_log,
            "f8": lambda: self.apply(page.back),
            "esc": lambda: self.apply(page.back),
            "f9": lambda: self.apply((Go(_NEXT),)),
            "f10": lambda: self.apply((Go("menu"),)),
            "tab": lambda: self._move(1),
            "shift tab": lambda: self._move(-1),
        }
        if key not in keys or (key == "f10" and page.name in WITHOUT_MENU):
            return False
        keys[key]()
        return True

    def show_log(self) -> None:
        log = self._dialogue.view.progress.log
        self._open(TextPopup("\n".join(log) or _("The log is empty."), _("Log"), log=True))

    def _move(self, step: int) -> None:
        """To the next or previous field."""
        number = self._walker.get_focus()[1] or 0
        for _turn in range(len(self._walker)):
            number = (number + step) % len(self._walker)
            if self._walker[number].selectable():
                self._walker.set_focus(number)
                return

    def _open_list(self, field: Choice) -> None:
        self._open(ListPopup(field, self._chosen))

    def _chosen(self, effects: Effects) -> None:
        self.close_popup()
        self.apply(effects)

    def _open(self, popup: ListPopup | TextPopup) -> None:
        self._popup = popup
        self.widget.original_widget = popup.over(self._frame, self._dialogue.view)

    def close_popup(self) -> None:
        self._popup = None
        self.widget.original_widget = self._frame


# The page's own next, as far as it is not blocked.
_NEXT = "\x00next"


def _first(rows: list[urwid.Widget]) -> int:
    return next((number for number, row in enumerate(rows) if row.selectable()), 0)
