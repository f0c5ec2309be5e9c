"""Translations: complete, and used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.command import run
from image.live import compile_texts
from installer.ui.text import LANGUAGES, _, set_language
from tests.unit.ui.conftest import Hall
from tests.unit.ui.terminals import CHECKOUT

LOCALE = CHECKOUT / "installer" / "locale"


@pytest.fixture
def compiled(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "locale"
    run(["cp", "--recursive", LOCALE, folder])
    compile_texts(folder)
    yield folder
    set_language("en")


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_text_is_translated(language: str, tmp_path: Path) -> None:
    sources = sorted((CHECKOUT / "installer" / "ui").rglob("*.py"))
    template = tmp_path / "slipway.pot"
    options = ["--language=Python", "--keyword=_", "--from-code=UTF-8", "--force-po"]
    run(["xgettext", *options, "--output", template, *sources])
    translated = LOCALE / language / "LC_MESSAGES" / "slipway.po"
    # It names what is missing, what has no translation, and placeholders that differ.
    run(["msgcmp", translated, template])
    run(["msgfmt", "--check", "--output-file", tmp_path / "slipway.mo", translated])


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_placeholders_are_the_same(language: str) -> None:
    text = (LOCALE / language / "LC_MESSAGES" / "slipway.po").read_text()
    for original, translated in re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', text, re.MULTILINE):
        wanted = sorted(re.findall(r"{[^}]*}", original))
        assert sorted(re.findall(r"{[^}]*}", translated)) == wanted, original


def test_german(compiled: Path) -> None:
    set_language("de", compiled)
    assert _("Keyboard") == "Tastatur"
    set_language("en", compiled)
    assert _("Keyboard") == "Keyboard"


def test_one_person_changes_the_language_of_all(hall: Hall) -> None:
    person, other = hall.enter("tty1"), hall.enter("ttyS0")
    field = next(x for x in person.page().fields if x.name == "language")
    person.apply(field.change("de"))  # type: ignore[union-attr, arg-type]
    assert other.view.state.language == "de"
    set_language("en")
