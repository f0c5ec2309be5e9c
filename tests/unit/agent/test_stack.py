"""The stack that is shipped, and stacks that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import stack
from agent.core.errors import SlipwayError
from agent.stack import HttpsProbe, LibvirtProbe, PoolProbe, TcpProbe

SHIPPED = Path(__file__).parents[3] / "image" / "stacks" / "kvm-ha.toml"


def test_the_shipped_stack() -> None:
    loaded = stack.load(SHIPPED)
    roles = {role.name: role for role in loaded.roles}
    assert list(roles) == ["base", "storage", "hypervisor", "cluster", "web", "sign-in"]
    assert roles["cluster"].packages and not roles["cluster"].units
    kinds = {type(probe) for role in loaded.roles for probe in role.probes}
    assert kinds == {TcpProbe, PoolProbe, LibvirtProbe, HttpsProbe}


def test_units_are_named_whole() -> None:
    units = [unit for role in stack.load(SHIPPED).roles for unit in role.units]
    assert units and all(unit.endswith((".service", ".socket")) for unit in units)
    assert len(set(units)) == len(units)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "tcp"', 'kind = "carrier-pigeon"', "carrier-pigeon"),
        ("port = 22", "port = 70000", "65536"),
        ('url = "https:', 'url = "http:', "https"),
        ('suite = "trixie"', 'suit = "trixie"', "suit"),
        ('suite = "trixie"', "suite = trixie", "Invalid value"),
    ],
)
def test_a_wrong_stack_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    text = SHIPPED.read_text()
    assert old in text
    path = tmp_path / "stack.toml"
    path.write_text(text.replace(old, new))
    with pytest.raises(SlipwayError, match=message) as caught:
        stack.load(path)
    assert caught.value.where == str(path)


def test_a_stack_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="cannot be read"):
        stack.load(tmp_path / "stack.toml")
