"""The watchdog of a node, and how long fencing takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cluster import fencing
from agent.cluster.fencing import Timeouts, Watchdog, choose, present, timeouts, warning
from agent.core.command import Result
from agent.step import WaitForOperator

HARDWARE, SOFT = "i6300ESB timer", "Software Watchdog"


@pytest.mark.parametrize(("nodes", "wanted"), [(1, 10), (3, 10), (8, 10), (9, 15), (32, 15)])
def test_the_others_wait_longer_than_the_watchdog(nodes: int, wanted: int) -> None:
    assert timeouts(nodes) == Timeouts(wanted, wanted * 3)
    assert timeouts(nodes).fencing >= 2 * timeouts(nodes).watchdog


def test_the_first_watchdog_counts(tmp_path: Path) -> None:
    for number, identity in {10: SOFT, 2: HARDWARE}.items():
        device = tmp_path / f"watchdog{number}"
        device.mkdir()
        (device / "identity").write_text(identity + "\n")
    assert present(tmp_path) == Watchdog(HARDWARE, hardware=True)
    assert choose([SOFT, HARDWARE]) == Watchdog(SOFT, hardware=False)
    assert present(tmp_path / "nothing") is None


def test_softdog_is_loaded_where_there_is_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def modprobe(argv: list[str]) -> Result:
        commands.append(argv)
        monkeypatch.setattr(fencing, "present", lambda: Watchdog(SOFT, hardware=False))
        return Result(tuple(argv), 0, "", "")

    monkeypatch.setattr(fencing, "run", modprobe)
    monkeypatch.setattr(fencing, "present", lambda: None)
    modules = tmp_path / "watchdog.conf"
    assert "softdog" in warning(fencing.prepare(modules))
    assert commands == [["modprobe", "softdog"]]
    assert "softdog" in modules.read_text().splitlines()


def test_a_hardware_watchdog_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fencing, "present", lambda: Watchdog(HARDWARE, hardware=True))
    modules = tmp_path / "watchdog.conf"
    assert warning(fencing.prepare(modules)) == ""
    assert not modules.exists()


def test_no_watchdog_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fencing, "run", lambda argv: Result(tuple(argv), 0, "", ""))
    monkeypatch.setattr(fencing, "present", lambda: None)
    with pytest.raises(WaitForOperator, match="no watchdog"):
        fencing.prepare(tmp_path / "watchdog.conf")
    assert "cannot be fenced" in warning(None)
