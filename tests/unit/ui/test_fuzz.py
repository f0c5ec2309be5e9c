"""Random keys: never a traceback, an erased disk, or a page without a way out."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from installer.rescue import session as rescue
from installer.session.protocol import Failure, FoundSystem, Leave, Rescue, SetPassword, Start
from installer.session.session import Session
from installer.ui.page import Button, Go
from installer.ui.pages import CHOICES
from installer.ui.screen import Screen
from tests.unit.ui.conftest import Hall
from tests.unit.ui.machines import PASSWORD

SIZE = (80, 24)
# A minute where there is time for it: SLIPWAY_FUZZ_SECONDS=60.
SECONDS = float(os.environ.get("SLIPWAY_FUZZ_SECONDS", "10"))
KEYS = (
    *("enter", "tab", "shift tab", "up", "down", "left", "right", "page up", "page down"),
    *("home", "end", "esc", "backspace", "delete", "f1", "f4", "f8", "f9", "f10", " "),
    *("a", "e", "r", "s", "1", "9", ".", "/", ":", "ä", "€", "ctrl c", "f12", "meta x"),
    # More often what leads to every field of a page and does something there.
    *("tab", "down", "enter") * 5,
)
# Where keys are pressed, in turn, so many each; some lead elsewhere. Most often where a wrong one
# would erase a disk.
STAGES = ("installing", "failed", "installed", "rescue", "leaving")
PLACES = (*CHOICES, "summary", "summary", *STAGES, "summary")
KEYS_EACH = 25
FOUND = FoundSystem(name="node1, Debian", device="/dev/sda3", storage="ext4, lvm", slipway=True)


class Monkey:
    """Somebody who presses anything."""

    def __init__(self, hall: Hall, seed: int) -> None:
        self.hall = hall
        self.seed = seed
        self.random = random.Random(seed)
        self.draft = hall.session.draft
        self.dialogue = hall.enter("monkey")
        self.screen = Screen(self.dialogue)
        self.screen.refresh()

    def press(self, key: str) -> None:
        left = self.screen.widget.keypress(SIZE, key)
        if left:
            self.screen.key(left)
        self.screen.refresh()
        canvas = self.screen.widget.render(SIZE, focus=True)
        assert len(canvas.text) == SIZE[1]

    def press_any(self) -> None:
        self.press(self.random.choice(KEYS))

    def put(self, place: str) -> None:
        """To a page of the choices, with a plan, or to what the session is at another time."""
        session = self.hall.session
        session.choose(self.draft)
        if place in CHOICES:
            session.probe()
            self.hall.think()
            self.dialogue.apply((Go(place),))
        elif place == "failed":
            session.fail(Failure(message="broken", retry=self.random.random() < 0.5))
        elif place == "rescue":
            session.update(stage="rescue", systems=(FOUND,), found=True)
        else:
            session.update(stage=place)
        self.screen.refresh()

    def orders(self) -> list[object]:
        found: list[object] = []
        while not self.hall.session.orders.empty():
            found.append(self.hall.session.orders.get())
        return found


@pytest.fixture
def monkey(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> Monkey:
    """With a password, so that there is a plan that could be started."""

    def look(session: Session, command: Rescue) -> dict[str, str]:
        mounted = FOUND.model_copy(update={"place": "/rescue" if command.action == "mount" else ""})
        session.update(stage="rescue", systems=(mounted,), found=True)
        return {"said": command.action}

    # The real one would look at this machine.
    monkeypatch.setattr(rescue, "carry_out", look)
    monkeypatch.setattr(rescue, "let_go", lambda session: session.update(systems=(), found=False))
    assert not hall.ask(SetPassword.model_validate({"password": PASSWORD})).error
    assert hall.session.state.plan
    return Monkey(hall, int(os.environ.get("SLIPWAY_FUZZ_SEED", str(random.randrange(1 << 30)))))


def test_random_keys(monkey: Monkey) -> None:
    seed, beginning = monkey.seed, time.monotonic()
    pressed, pages = 0, set()
    while time.monotonic() < beginning + SECONDS or pressed < len(PLACES) * KEYS_EACH:
        try:
            if pressed % KEYS_EACH == 0:
                monkey.put(PLACES[pressed // KEYS_EACH % len(PLACES)])
                pages.add(monkey.dialogue.page().name)
            monkey.press_any()
        except Exception as error:
            raise AssertionError(f"seed {seed}, after {pressed} keys") from error
        pressed += 1
        pages.add(monkey.dialogue.page().name)
        for order in monkey.orders():
            # The word has all its letters among the keys; typing it by chance is what is excluded.
            assert not isinstance(order, Start), f"seed {seed}"
    if folder := os.environ.get("SLIPWAY_FIGURES"):
        said = f"{pressed} keys in {SECONDS:g} s, seed {seed}: {', '.join(sorted(pages))}"
        Path(folder, "console-fuzz.txt").write_text(f"{said}\n")
    assert set(PLACES) <= pages, f"seed {seed}"


def test_there_is_a_way_out_of_every_page(monkey: Monkey) -> None:
    """From wherever random keys have led, a restart is at most the menu and a button away."""
    for turn in range(3 * len(PLACES)):
        monkey.put(PLACES[turn % len(PLACES)])
        for _key in range(KEYS_EACH):
            monkey.press_any()
        monkey.orders()
        # These go on by themselves.
        if monkey.hall.session.state.stage in ("leaving", "installing"):
            monkey.hall.session.choose()
            monkey.screen.refresh()
        for key in ("esc", "f10", "f10"):
            monkey.press(key)
        page = monkey.dialogue.page()
        assert page.name == "menu"
        presses = [x.press for x in page.fields if isinstance(x, Button)]
        assert (Leave(mode="reboot"),) in presses
