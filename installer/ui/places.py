"""Countries, their time zones and keyboards, from the time zone database; offline."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from zoneinfo import TZPATH

# The answer file's keyboard for a country, where it is not the country's own code.
KEYBOARDS = {
    "at": "de",
    "au": "en-us",
    "be": "fr-be",
    "br": "pt-br",
    "ca": "en-us",
    "ch": "de-ch",
    "gb": "en-gb",
    "ie": "en-gb",
    "li": "de-ch",
    "lu": "fr-ch",
    "us": "en-us",
}


@cache
def _rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table of the time zone database; none without one."""
    for folder in TZPATH:
        path = Path(folder, name)
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            return tuple(tuple(x.split("\t")) for x in lines if x and x[0] != "#")
    return ()


def country_names() -> dict[str, str]:
    """Name of each country by its ISO code in lower case, in the order of names."""
    named = {row[0].lower(): row[1] for row in _rows("iso3166.tab")}
    return dict(sorted(named.items(), key=lambda item: item[1]))


def zones_of(country: str) -> list[str]:
    """The time zones of a country; the one where most people live comes first."""
    return [row[2] for row in _rows("zone.tab") if row[0] == country.upper()]


def keyboard_of(country: str, known: tuple[str, ...]) -> str:
    """The keyboard that is usual in a country, of those that are known."""
    code = KEYBOARDS.get(country, country)
    return code if code in known else "en-us"
