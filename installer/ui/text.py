"""Texts in the language of the session, through gettext."""

from __future__ import annotations

import gettext
from pathlib import Path

DOMAIN = "slipway"
LOCALE = Path(__file__).resolve().parents[1] / "locale"
LANGUAGES = {"en": "English", "de": "Deutsch"}


class _Texts:
    """The translations in use; English needs none."""

    def __init__(self) -> None:
        self.translations = gettext.NullTranslations()


_texts = _Texts()


def set_language(language: str, folder: Path = LOCALE) -> None:
    """Texts come in this language from now on; in English where there is no translation."""
    _texts.translations = gettext.translation(DOMAIN, folder, [language], fallback=True)


def _(text: str) -> str:
    """The text in the language of the session."""
    return _texts.translations.gettext(text)
