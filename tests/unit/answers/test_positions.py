"""Every key and item that tomllib and json know is found where it stands."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator

import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from installer.answers.positions import KeyPath, find_positions, line_and_column

TOML = '''\
# comment = "no"
top.dotted . "quoted key" = 1 # a = 2
text = """a = 1
[not.a.table]
\\"""  quotes ""\\\\""""
raw = \'\'\'don''t\'\'\'
single = 'back\\slash'
list = [ 1, # ] 2
  [ "]", { x = "}", "y z".deep = [ 3 ] } ], ]
"\\u0061b" = true
quotes = [ """a""""", \'\'\'b\'\'\'\'\', 3 ]

[ table . sub ]
date = 1979-05-27 07:32:00
[[many]]
a = 1
[many.inner]
b = 2
[[many.deep]]
[[many.deep]]
c = 3
[[many]]
a = 4
[[many.deep]]
c = 5
'''


def paths(data: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of all keys and items in data."""
    if path:
        yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from paths(value, (*path, key))
    if isinstance(data, list):
        for number, value in enumerate(data):
            yield from paths(value, (*path, number))


def places(text: str) -> dict[KeyPath, tuple[int, int]]:
    found = find_positions(text, "toml")
    return {path: line_and_column(text, offset) for path, offset in found.places.items()}


def test_finds_everything_in_toml() -> None:
    found = places(TOML)
    assert set(found) == set(paths(tomllib.loads(TOML)))
    assert found["top", "dotted", "quoted key"] == (2, 1)
    assert found["raw",] == (6, 1)
    assert found["single",] == (7, 1)
    assert found["list", 0] == (8, 10)
    assert found["list", 1, 1] == (9, 10)
    assert found["list", 1, 1, "x"] == (9, 12)
    assert found["list", 1, 1, "y z", "deep", 0] == (9, 36)
    assert found["ab",] == (10, 1)
    assert found["quotes", 2] == (11, 34)
    assert found["table",] == (13, 1)
    assert found["table", "sub", "date"] == (14, 1)
    assert found["many", 0, "inner", "b"] == (18, 1)
    assert found["many", 0, "deep", 1, "c"] == (21, 1)
    assert found["many", 1, "deep", 0, "c"] == (25, 1)


scalars = (
    st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t"), max_size=8)
)
keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(keys, values, max_size=4))
def test_finds_everything_in_any_toml(data: dict[str, object]) -> None:
    text = tomlkit.dumps(data)
    found = find_positions(text, "toml")
    assert set(found.places) == set(paths(tomllib.loads(text)))
    assert found.repeated == ()


@settings(deadline=None)
@given(st.dictionaries(keys, values, max_size=4), st.sampled_from([None, 2]))
def test_finds_everything_in_any_json(data: dict[str, object], indent: int | None) -> None:
    text = json.dumps(data, indent=indent)
    found = find_positions(text, "json")
    assert set(found.places) == set(paths(data))
    for path, offset in found.places.items():
        if isinstance(path[-1], str):
            assert text.startswith(json.dumps(path[-1]), offset)
