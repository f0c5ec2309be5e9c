"""Which tables are for a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from image.serve import match
from image.serve.facts import Facts
from image.serve.match import Ambiguous, holds
from image.serve.site import Match
from tests.unit.serve.site import site

IDENTITY = {
    "dmi": {"system": {"name": "PowerEdge R650"}, "a/b": 1},
    "disks": [{"model": "A"}, {"model": "B"}],
    "secure": True,
}
FACTS = Facts(("52:54:00:00:00:01", "52:54:00:00:00:02"), "S1", "uuid-1", IDENTITY)
BOOT = Facts(("52:54:00:00:00:01",))


@pytest.mark.parametrize(
    ("wanted", "result", "at_boot"),
    [
        ({"mac": "52:54:00:00:00:02"}, True, False),
        ({"mac": "52-54-00-00-00-01"}, True, True),
        ({"mac": "52:54:*"}, True, True),
        ({"mac": "52:55:*"}, False, False),
        ({"serial": "S1"}, True, None),
        ({"serial": "s1"}, False, None),
        ({"uuid": "UUID-1"}, True, None),
        ({"identity": {"/dmi/system/name": "PowerEdge*"}}, True, None),
        ({"identity": {"/disks/1/model": "B"}}, True, None),
        ({"identity": {"/disks/*/model": "B"}}, True, None),
        ({"identity": {"/disks/2/model": "B"}}, False, None),
        ({"identity": {"/dmi/a~1b": "1"}}, True, None),
        ({"identity": {"/secure": "true"}}, True, None),
        ({"identity": {"/dmi": "*"}}, False, None),
        ({"mac": "52:55:*", "serial": "S1"}, False, False),
        ({"mac": "52:54:*", "serial": "S1"}, True, None),
    ],
)
def test_conditions(wanted: dict[str, object], result: bool, at_boot: bool | None) -> None:
    table = Match.model_validate(wanted)
    assert holds(table, FACTS) is result
    assert holds(table, BOOT) is at_boot


GROUPS = """
[[groups]]
name = "all"
match.mac = "*"
[[groups]]
name = "rack"
match.mac = "52:54:*"
[[groups]]
name = "dell"
match.identity = {"/dmi/system/name" = "PowerEdge R650"}
[[groups]]
name = "one"
match.serial = "S1"
"""


def found(folder: Path, facts: Facts, groups: str = GROUPS) -> str:
    group = match.find(site(folder, groups).site, facts).group
    return group.name if group else ""


def test_the_most_specific_wins(tmp_path: Path) -> None:
    assert found(tmp_path, BOOT) == "rack"
    assert found(tmp_path, FACTS) == "one"
    other = Facts(("52:54:00:00:00:01",), "S2", "", IDENTITY)
    assert found(tmp_path, other) == "dell"
    assert found(tmp_path, Facts(("00:00:00:00:00:01",))) == "all"


def test_two_that_are_equal_are_an_error(tmp_path: Path) -> None:
    more = '[[groups]]\nname = "too"\nmatch.mac = "*:00:00:01"\n'
    equal = '[[groups]]\nname = "same"\nmatch.mac = "52:54:*"\n'
    assert found(tmp_path, BOOT, GROUPS + more) == "too"
    with pytest.raises(Ambiguous, match="rack and same"):
        found(tmp_path, BOOT, GROUPS + equal)
