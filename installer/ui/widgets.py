"""The fields of a page as urwid widgets that stay while the page is made anew."""

from __future__ import annotations

from collections.abc import Callable

import urwid

from installer.ui.page import Bar, Button, Choice, Drawing, Effects, Field, Many, Option, Text

Apply = Callable[[Effects], None]
LABEL_COLUMNS = 24


class Pressed(urwid.SelectableIcon):  # type: ignore[misc]
    """A line that something happens on when Enter or the space bar is pressed."""

    def __init__(self, text: str, press: Callable[[], None]) -> None:
        super().__init__(text, cursor_position=0)
        self.press = press

    def keypress(self, _size: tuple[int], key: str) -> str | None:
        if key in ("enter", " "):
            self.press()
            return None
        return key


class FieldWidget:
    """A field that is on the screen. refresh: is it the same field, with other contents?"""

    def __init__(self, apply: Apply) -> None:
        self._apply = apply
        self._problem = urwid.Text("")
        self.widget: urwid.Widget = urwid.Pile([])

    def _complain(self, problem: str) -> None:
        self._problem.set_text(("problem", f"  ! {problem}") if problem else "")

    def _frame(self, widgets: list[urwid.Widget], problem: str) -> None:
        """Show these widgets, and below them what is wrong, if anything is."""
        self._complain(problem)
        shown = [*widgets, self._problem] if problem else widgets
        if not isinstance(self.widget, urwid.Pile):
            raise TypeError("a field has a pile of widgets")
        if [w for w, _options in self.widget.contents] != shown:
            self.widget.contents = [(widget, ("pack", None)) for widget in shown]


class TextWidget(FieldWidget):
    """A line to type in."""

    def __init__(self, field: Text, apply: Apply) -> None:
        super().__init__(apply)
        self._field = field
        self._edit = urwid.Edit("", field.value, mask="*" if field.secret else None)
        urwid.connect_signal(self._edit, "postchange", self._typed)
        self._label = urwid.Text("")
        # The brackets show where a field is on terminals without colours.
        self._line = urwid.Columns(
            [
                (LABEL_COLUMNS, self._label),
                (1, urwid.Text("[")),
                urwid.AttrMap(self._edit, "field", "focus"),
                (1, urwid.Text("]")),
            ],
            focus_column=2,
        )
        self._quiet = False
        self.update(field, pending=False)

    def update(self, field: Text, *, pending: bool) -> None:
        """Show the field's value, unless what was typed here is the same or newer."""
        self._field = field
        self._label.set_text(field.label)
        if not pending and field.normal(self._edit.edit_text) != field.value:
            self._quiet = True
            self._edit.set_edit_text(field.value)
            self._edit.set_edit_pos(len(field.value))
            self._quiet = False
        self._frame([self._line], field.problem)

    def _typed(self, _edit: urwid.Edit, _old: str) -> None:
        if not self._quiet:
            self._apply(self._field.change(self._edit.edit_text))


class ChoiceWidget(FieldWidget):
    """The chosen value; pressing it opens the list."""

    def __init__(self, field: Choice, apply: Apply, open_list: Callable[[Choice], None]) -> None:
        super().__init__(apply)
        self._field = field
        self._line = Pressed("", lambda: open_list(self._field))
        self._framed = urwid.AttrMap(self._line, "field", "focus")
        self.update(field, pending=False)

    def update(self, field: Choice, *, pending: bool) -> None:
        self._field = field
        shown = next((x.label for x in field.options if x.value == field.value), field.value)
        self._line.set_text(f"{_label(field.label)}[ {shown} ]")
        self._frame([self._framed], field.problem)


class ManyWidget(FieldWidget):
    """A box for each value."""

    def __init__(self, field: Many, apply: Apply) -> None:
        super().__init__(apply)
        self._field = field
        self._boxes: dict[str, urwid.CheckBox] = {}
        self._rows: list[urwid.Widget] = []
        self._shown: tuple[Option, ...] = ()
        self.update(field, pending=False)

    def update(self, field: Many, *, pending: bool) -> None:
        self._field = field
        if field.options != self._shown:
            self._make(field)
        for value, box in self._boxes.items():
            box.set_state(value in field.values, do_callback=False)
        self._frame(self._rows, field.problem)

    def _make(self, field: Many) -> None:
        self._shown = field.options
        self._rows = [urwid.Text(field.label)]
        self._boxes = {
            option.value: self._boxes.get(option.value) or self._box(option.value)
            for option in field.options
        }
        for option in field.options:
            box = self._boxes[option.value]
            box.set_label(option.label)
            self._rows.append(urwid.Padding(urwid.AttrMap(box, "field", "focus"), left=2))
            if option.note:
                self._rows.append(urwid.Padding(urwid.Text(option.note), left=6))

    def _box(self, value: str) -> urwid.CheckBox:
        box = urwid.CheckBox("")
        urwid.connect_signal(box, "change", self._toggled, user_args=[value])
        return box

    def _toggled(self, value: str, _box: urwid.CheckBox, chosen: bool) -> None:
        others = [x for x in self._field.values if x != value]
        self._apply(self._field.change(tuple([*others, value] if chosen else others)))


class ButtonWidget(FieldWidget):
    """Something to press."""

    def __init__(self, field: Button, apply: Apply) -> None:
        super().__init__(apply)
        self._field = field
        self._line = Pressed("", lambda: self._apply(self._field.press))
        self._framed = urwid.AttrMap(self._line, "button", "focus")
        self.update(field, pending=False)

    def update(self, field: Button, *, pending: bool) -> None:
        self._field = field
        self._line.set_text(f"< {field.label} >")
        self._frame([self._framed], "")


class Line(urwid.Text):  # type: ignore[misc]
    """A line that a person can move to, so that a long text can be scrolled."""

    _selectable = True

    def keypress(self, _size: tuple[int], key: str) -> str:
        return key


class DrawingWidget(FieldWidget):
    """Lines that keep their form; a long drawing scrolls in a part of the screen."""

    def __init__(self, field: Drawing, apply: Apply, rows: int) -> None:
        super().__init__(apply)
        self._shown: tuple[str, ...] | None = None
        self._rows = rows
        self.update(field, pending=False)

    def update(self, field: Drawing, *, pending: bool) -> None:
        if field.lines == self._shown:
            return
        self._shown = field.lines
        if field.long and len(field.lines) > self._rows:
            lines = [
                urwid.AttrMap(Line(line or " ", wrap="clip"), "drawing", "focus")
                for line in field.lines
            ]
            walker = urwid.SimpleFocusListWalker(lines)
            self._frame([urwid.BoxAdapter(urwid.ListBox(walker), self._rows)], "")
        else:
            text = urwid.Text("\n".join(field.lines), wrap="clip")
            self._frame([urwid.AttrMap(text, "drawing")], "")


class BarWidget(FieldWidget):
    """One bar; its number says the same as its length."""

    def __init__(self, field: Bar, apply: Apply, *, ascii: bool) -> None:
        super().__init__(apply)
        self._text = urwid.Text("", wrap="clip")
        self._full, self._rest = ("#", ".") if ascii else ("█", "░")
        self.update(field, pending=False)

    def update(self, field: Bar, *, pending: bool) -> None:
        width = 68
        full = round(width * field.done)
        bar = self._full * full + self._rest * (width - full)
        self._text.set_text([("bar", bar), f" {int(100 * field.done):3} %"])
        self._frame([self._text], "")


def _label(text: str) -> str:
    return f"{text:{LABEL_COLUMNS}}" if len(text) < LABEL_COLUMNS else f"{text} "


def same_kind(widget: FieldWidget, field: Field) -> bool:
    """Whether this widget can show that field."""
    kinds = {
        Text: TextWidget,
        Choice: ChoiceWidget,
        Many: ManyWidget,
        Button: ButtonWidget,
        Drawing: DrawingWidget,
        Bar: BarWidget,
    }
    return isinstance(widget, kinds[type(field)])
