"""Country, keyboard and time zone: one choice leads to the other two."""

from __future__ import annotations

from typing import get_args

from installer.answers.system import Keyboard, timezones
from installer.ui.page import Choice, Effects, Option, Page, Remember, Text
from installer.ui.places import country_names, keyboard_of, zones_of
from installer.ui.text import _
from installer.ui.view import View

CODES: tuple[str, ...] = get_args(Keyboard)


def keyboard_names() -> dict[str, str]:
    return {
        "de": _("German"),
        "de-ch": _("Swiss German"),
        "dk": _("Danish"),
        "en-gb": _("British"),
        "en-us": _("American"),
        "es": _("Spanish"),
        "fi": _("Finnish"),
        "fr": _("French"),
        "fr-be": _("Belgian"),
        "fr-ca": _("Canadian French"),
        "fr-ch": _("Swiss French"),
        "hu": _("Hungarian"),
        "is": _("Icelandic"),
        "it": _("Italian"),
        "jp": _("Japanese"),
        "lt": _("Lithuanian"),
        "mk": _("Macedonian"),
        "nl": _("Dutch"),
        "no": _("Norwegian"),
        "pl": _("Polish"),
        "pt": _("Portuguese"),
        "pt-br": _("Brazilian"),
        "se": _("Swedish"),
        "si": _("Slovenian"),
        "tr": _("Turkish"),
    }


def location_page(view: View) -> Page:
    country = view.text_at("global", "country")
    names = keyboard_names()
    zones = dict.fromkeys([*zones_of(country), *timezones()])
    return Page(
        "location",
        _("Country, keyboard, time zone"),
        help=_(
            "The country offers a keyboard and a time zone; both can be changed. The keyboard of "
            "this machine changes at once: try it in the last field. A serial line or SSH has the "
            "keyboard of the machine at its other end. In a list, typing looks for a word."
        ),
        fields=(
            Choice(
                "country",
                _("Country"),
                country,
                tuple(Option(code, name) for code, name in country_names().items()),
                lambda value: _choose_country(view, value),
                view.problem("global", "country"),
            ),
            Choice(
                "keyboard",
                _("Keyboard"),
                view.text_at("global", "keyboard"),
                tuple(Option(code, names.get(code, code)) for code in CODES),
                lambda value: (view.set(("global", "keyboard"), value),),
                view.problem("global", "keyboard"),
            ),
            Choice(
                "timezone",
                _("Time zone"),
                view.text_at("global", "timezone"),
                tuple(Option(zone, zone) for zone in zones),
                lambda value: (view.set(("global", "timezone"), value),),
                view.problem("global", "timezone"),
            ),
            Text(
                "try",
                _("Try the keyboard"),
                view.memory.get("try", ""),
                lambda text: (Remember("try", text),),
                normal=str,
            ),
        ),
        blocked=view.problem("global", "country") or view.problem("global", "timezone"),
    )


def _choose_country(view: View, country: str) -> Effects:
    zone = next(iter(zones_of(country)), "UTC")
    return (
        view.set(("global", "country"), country),
        view.set(("global", "timezone"), zone),
        view.set(("global", "keyboard"), keyboard_of(country, CODES)),
    )
