"""The step of templates, with systemd as a fake on a real bus."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import systemd
from agent.config import Templates as Wanted
from agent.steps import templates
from agent.steps.templates import Templates
from agent.systemd import Systemd
from agent.templates.store import Store
from tests.unit.agent.fake_services import FakeUnit, Machine

(UNIT,) = templates.UNITS


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "templates")


def keep(store: Store, name: str) -> None:
    with store.partial("x") as partial:
        partial.write_bytes(name.encode())
        store.keep(name, ".tar.xz", partial)


@pytest.fixture
def step(machine: Machine, store: Store, monkeypatch: pytest.MonkeyPatch) -> Templates:
    monkeypatch.setattr(systemd, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(templates, "POLL_SECONDS", 0.001)
    machine.systemd.fakes[UNIT] = FakeUnit(enabled="disabled", starts_as="inactive")
    wanted = Wanted(fetch=("debian/13", "alpine/3.22/amd64"))
    return Templates(wanted, Systemd(lambda: machine.bus), store, wait_seconds=0.0)


def test_what_is_there_is_not_fetched(step: Templates, store: Store) -> None:
    keep(store, "debian/13/amd64")
    assert step.observe() == ("the template alpine/3.22/amd64 is not there",)
    keep(store, "alpine/3.22/amd64")
    assert step.observe() == ()
    assert step.prove() == ""


def test_the_unit_fetches_and_goes_on_with_it(step: Templates, machine: Machine) -> None:
    step.act()
    assert machine.systemd.fakes[UNIT].enabled == "enabled"


def test_a_source_that_is_down_keeps_nobody(step: Templates, store: Store) -> None:
    keep(store, "debian/13/amd64")
    assert step.prove() == (f"not fetched yet: alpine/3.22/amd64; see: journalctl -b -u {UNIT}")


def test_the_step_waits_no_longer_than_for_the_first_failure(
    step: Templates, machine: Machine
) -> None:
    step.wait_seconds = 60.0
    machine.systemd.fakes[UNIT].active = "failed"
    assert "not fetched yet" in step.prove()
