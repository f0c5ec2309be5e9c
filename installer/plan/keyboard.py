"""The answer file's keyboard codes as XKB has them (keyboard(5), xkeyboard-config)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Keyboard:
    """XKB's words; layout and variant may be lists."""

    layout: str
    variant: str = ""
    options: str = ""


# Codes that are not XKB's own name of the layout.
SPECIAL = {
    "de-ch": Keyboard("ch"),
    "en-gb": Keyboard("gb"),
    "en-us": Keyboard("us"),
    "fr-be": Keyboard("be"),
    "fr-ca": Keyboard("ca"),
    "fr-ch": Keyboard("ch", "fr"),
    # Cyrillic letters alone cannot spell "root": both, switched with Alt and Shift.
    "mk": Keyboard("us,mk", ",", "grp:alt_shift_toggle"),
    "pt-br": Keyboard("br"),
}


def xkb_keyboard(code: str) -> Keyboard:
    """XKB's names for one of the answer file's codes."""
    return SPECIAL.get(code, Keyboard(code))
