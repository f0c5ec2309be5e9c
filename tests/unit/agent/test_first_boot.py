"""The step of the first boot's program, with systemd as a fake on a real bus."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import stack, systemd
from agent.config import FIRST_BOOT_UNIT, Boot, LvmThin, NodeConfig
from agent.step import Retry, WaitForOperator
from agent.steps import all_steps
from agent.steps.first_boot import FirstBoot
from agent.systemd import Systemd
from tests.unit.agent.fake_services import FakeUnit, Machine

SHIPPED = Path(__file__).parents[3] / "image" / "stacks" / "kvm-ha.toml"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "first-boot" / "program"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    return path


@pytest.fixture
def step(machine: Machine, program: Path, monkeypatch: pytest.MonkeyPatch) -> FirstBoot:
    monkeypatch.setattr(systemd, "POLL_SECONDS", 0.001)
    machine.systemd.fakes[FIRST_BOOT_UNIT] = FakeUnit(enabled="static", starts_as="inactive")
    return FirstBoot("fully-up", Systemd(lambda: machine.bus), ("services",), program)


def config(**values: object) -> NodeConfig:
    base = {
        "fqdn": "node1.example.org",
        "storage": LvmThin(volume_group="pve"),
        "boot": Boot(esps=(), kernel_parameters=()),
    }
    return NodeConfig.model_validate(base | values)


def test_it_is_a_step_only_where_there_is_a_program() -> None:
    shipped = stack.load(SHIPPED)
    names = [step.name for step in all_steps(config(), shipped)]
    late = all_steps(config(first_boot="fully-up"), shipped)
    assert [step.name for step in late] == [*names[:-1], "first-boot", "secrets"]
    assert late[-2].needs == tuple(names[:-1])
    # What the installer left for other steps is erased even if the program never succeeds.
    assert late[-1].needs == tuple(names[:-1])
    early = all_steps(config(first_boot="before-network"), shipped)
    assert early[-2].needs == ()


def test_it_runs_the_program_and_sees_that_it_has_succeeded(
    step: FirstBoot, machine: Machine, program: Path
) -> None:
    assert step.observe() != ()
    step.act()
    assert machine.systemd.calls == [("start", FIRST_BOOT_UNIT)]
    program.unlink()
    assert step.prove() == ""
    assert step.observe() == ()


def test_a_program_that_fails_waits_for_a_person(step: FirstBoot, machine: Machine) -> None:
    machine.systemd.fakes[FIRST_BOOT_UNIT].starts_as = "failed"
    machine.service.Result, machine.service.ExecMainStatus = "exit-code", 7
    step.act()
    with pytest.raises(WaitForOperator, match="the program failed: exit-code, status 7") as caught:
        step.prove()
    assert f"journalctl -b -u {FIRST_BOOT_UNIT}" in str(caught.value.hint)


def test_a_program_that_failed_is_not_started_again(step: FirstBoot, machine: Machine) -> None:
    machine.systemd.fakes[FIRST_BOOT_UNIT].active = "failed"
    step.act()
    assert machine.systemd.calls == []


@pytest.mark.parametrize("active", ["activating", "inactive"])
def test_one_that_the_machine_is_starting_is_left_alone(
    step: FirstBoot, machine: Machine, active: str
) -> None:
    machine.systemd.fakes[FIRST_BOOT_UNIT].active = active
    machine.systemd.fakes[FIRST_BOOT_UNIT].looks = 5
    machine.systemd.begin_job(FIRST_BOOT_UNIT)
    step.act()
    assert machine.systemd.calls == []


def test_one_that_runs_long_is_looked_at_again(
    step: FirstBoot, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "SETTLE_SECONDS", 0.0)
    machine.systemd.fakes[FIRST_BOOT_UNIT].active = "activating"
    with pytest.raises(Retry, match="still running"):
        step.prove()


def test_without_the_program_systemd_is_not_asked(tmp_path: Path) -> None:
    def no_bus() -> object:
        pytest.fail("asks the bus")

    step = FirstBoot("before-network", Systemd(no_bus), (), tmp_path / "program")
    assert step.observe() == ()
    step.act()
    assert step.prove() == ""
