"""Random keys: never a traceback, an erased disk, or a page without a way out."""

from __future__ import annotations

import os
import random
import time

from installer.session.protocol import Failure, Leave, Start
from installer.ui.page import Button
from installer.ui.screen import Screen
from tests.unit.ui.conftest import Hall

SIZE = (80, 24)
# A minute where there is time for it: SLIPWAY_FUZZ_SECONDS=60.
SECONDS = float(os.environ.get("SLIPWAY_FUZZ_SECONDS", "10"))
KEYS = (
    *("enter", "tab", "shift tab", "up", "down", "left", "right", "page up", "page down"),
    *("home", "end", "esc", "backspace", "delete", "f1", "f4", "f8", "f9", "f10", " "),
    *("a", "e", "r", "s", "1", "9", ".", "/", ":", "ä", "€", "ctrl c", "f12", "meta x"),
)


class Monkey:
    """Somebody who presses anything."""

    def __init__(self, hall: Hall, seed: int) -> None:
        self.hall = hall
        self.random = random.Random(seed)
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

    def disturb(self) -> None:
        """What happens beside the keys: cables, failures, ends."""
        stage = self.hall.session.state.stage
        if stage == "installing":
            self.hall.session.fail(Failure(message="broken", retry=self.random.random() < 0.5))
        elif stage == "leaving":
            self.hall.session.choose()
        elif stage == "choosing":
            self.hall.session.probe()
        self.hall.think()

    def orders(self) -> list[object]:
        found: list[object] = []
        while not self.hall.session.orders.empty():
            found.append(self.hall.session.orders.get())
        return found


def test_random_keys(hall: Hall) -> None:
    seed = int(os.environ.get("SLIPWAY_FUZZ_SEED", str(random.randrange(1 << 30))))
    monkey = Monkey(hall, seed)
    end, pressed, pages = time.monotonic() + SECONDS, 0, set()
    while time.monotonic() < end:
        try:
            monkey.press(monkey.random.choice(KEYS))
        except Exception as error:
            raise AssertionError(f"seed {seed}, after {pressed} keys") from error
        pressed += 1
        pages.add(monkey.dialogue.page().name)
        if monkey.random.random() < 0.02:
            monkey.disturb()
        for order in monkey.orders():
            # The word has all its letters among the keys; typing it by chance is what is excluded.
            assert not isinstance(order, Start), f"seed {seed}"
    assert pressed > 100
    assert {"hardware", "disks", "menu"} <= pages, f"seed {seed}"


def test_there_is_a_way_out_of_every_page(hall: Hall) -> None:
    """From wherever random keys have led, a restart is at most the menu and a button away."""
    monkey = Monkey(hall, 7)
    for _turn in range(60):
        for _key in range(20):
            monkey.press(monkey.random.choice(KEYS))
        monkey.orders()
        if hall.session.state.stage in ("leaving", "installing"):
            monkey.disturb()
            monkey.screen.refresh()
        for key in ("esc", "f10", "f10"):
            monkey.press(key)
        page = monkey.dialogue.page()
        assert page.name == "menu"
        presses = [x.press for x in page.fields if isinstance(x, Button)]
        assert (Leave(mode="reboot"),) in presses
