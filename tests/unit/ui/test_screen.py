"""What urwid draws, as text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from installer.session.protocol import Stage, State
from installer.ui.screen import Screen
from tests.unit.ui.conftest import Hall

SIZE = (80, 24)


def drawn(screen: Screen) -> str:
    screen.refresh()
    canvas = screen.widget.render(SIZE, focus=True)
    return "\n".join(line.decode() for line in canvas.text)


@pytest.mark.parametrize("stage", ["looking", "leaving"])
def test_there_is_no_menu_before_and_after_the_session(hall: Hall, stage: Stage) -> None:
    person = hall.enter("tty1")
    person.view = replace(person.view, state=State(stage=stage))
    screen = Screen(person)
    assert "F10" not in drawn(screen)
    assert not screen.key("f10")
    hall.session.update(stage="choosing")
    assert "F10 Menu" in drawn(screen) and "1/7" in drawn(screen)


def test_frames_in_ascii(hall: Hall) -> None:
    person = hall.enter("ttyS0")
    person.view = replace(person.view, ascii=True)
    screen = Screen(person)
    screen.refresh()
    screen.key("f9")
    assert drawn(screen).isascii()
    screen.key("f1")
    assert "Esc closes" in drawn(screen) and drawn(screen).isascii()


def test_a_problem_is_told_in_words(hall: Hall) -> None:
    person = hall.enter("tty1")
    screen = Screen(person)
    for _page in range(3):
        screen.refresh()
        screen.key("f9")
    assert "! root needs a password" in drawn(screen)
    # There is no way on, and one back.
    screen.key("f9")
    assert "4/7" in drawn(screen)
    screen.key("f8")
    assert "3/7" in drawn(screen)


def test_a_list_is_searched_by_typing(hall: Hall) -> None:
    person = hall.enter("tty1")
    screen = Screen(person)
    for _page in range(2):
        screen.refresh()
        screen.key("f9")
    drawn(screen)
    for key in ("enter", *"austri"):
        screen.widget.keypress(SIZE, key)
    assert "Search: austri" in drawn(screen)
    screen.widget.keypress(SIZE, "enter")
    assert "Europe/Vienna" in drawn(screen)
    for key in ("enter", *"zzz"):
        screen.widget.keypress(SIZE, key)
    assert "Nothing has these letters." in drawn(screen)
    for key in ("backspace",) * 3:
        screen.widget.keypress(SIZE, key)
    assert "Belgium" in drawn(screen)
    screen.key("esc")
    assert "Search" not in drawn(screen)
