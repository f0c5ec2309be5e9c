"""Units over a real bus: what is seen, what is asked for, what is waited for."""

from __future__ import annotations

import pytest

from agent import clock, systemd
from agent.step import Fatal, Retry, WaitForOperator
from agent.systemd import Systemd
from tests.unit.agent.fake_services import FakeUnit, Machine


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "POLL_SECONDS", 0.001)


def manager(machine: Machine, **units: FakeUnit) -> Systemd:
    machine.systemd.fakes = {f"{name}.service": unit for name, unit in units.items()}
    return Systemd(lambda: machine.bus)


def test_active_and_enabled_units_miss_nothing(machine: Machine) -> None:
    units = manager(machine, a=FakeUnit("active"), b=FakeUnit("active", enabled="static"))
    assert units.missing(["a.service", "b.service"]) == ()


def test_what_is_missing_is_said_in_words(machine: Machine) -> None:
    units = manager(machine, a=FakeUnit("failed"), b=FakeUnit("active", enabled="disabled"))
    assert units.missing(["a.service", "b.service"]) == (
        "a.service is failed (sub)",
        "b.service is not enabled",
    )


def test_a_unit_that_the_machine_is_just_starting_is_not_missing(machine: Machine) -> None:
    units = manager(machine, a=FakeUnit("inactive", looks=3))
    machine.systemd.begin_job("a.service")
    assert units.missing(["a.service"]) == ()
    assert machine.systemd.calls == []


def test_bring_up_enables_and_starts_only_what_is_not(machine: Machine) -> None:
    units = manager(
        machine,
        running=FakeUnit("active"),
        fresh=FakeUnit("inactive", enabled="disabled"),
        broken=FakeUnit("failed"),
    )
    names = ["running.service", "fresh.service", "broken.service"]
    units.bring_up(names)
    assert machine.systemd.calls == [
        ("enable", "fresh.service"),
        ("reload",),
        ("start", "fresh.service"),
        ("reset", "broken.service"),
        ("start", "broken.service"),
    ]
    units.prove(names)
    assert units.missing(names) == ()


def test_all_units_are_asked_to_start_before_any_is_waited_for(machine: Machine) -> None:
    units = manager(machine, slow=FakeUnit(looks=5), quick=FakeUnit())
    units.bring_up(["slow.service", "quick.service"])
    assert machine.systemd.calls == [("start", "slow.service"), ("start", "quick.service")]
    assert machine.systemd.pending == {"slow.service": 5, "quick.service": 0}
    units.prove(["slow.service", "quick.service"])


def test_a_unit_that_does_not_come_up_is_named(machine: Machine) -> None:
    units = manager(machine, a=FakeUnit(starts_as="failed"), b=FakeUnit())
    units.bring_up(["a.service", "b.service"])
    with pytest.raises(Retry, match="a.service is failed") as caught:
        units.prove(["a.service", "b.service"])
    assert caught.value.hint == "see: journalctl -b -u a.service"


def test_waiting_for_a_unit_has_an_end(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "SETTLE_SECONDS", 0.05)
    units = manager(machine, a=FakeUnit(looks=1_000_000))
    units.bring_up(["a.service"])
    with pytest.raises(Retry, match="a.service is inactive"):
        units.prove(["a.service"])


def test_a_masked_unit_waits_for_a_person(machine: Machine) -> None:
    units = manager(machine, a=FakeUnit(loaded="masked"))
    with pytest.raises(WaitForOperator, match="masked") as caught:
        units.missing(["a.service"])
    assert caught.value.hint == "run: systemctl unmask a.service"


def test_a_unit_that_is_not_installed_is_fatal(machine: Machine) -> None:
    with pytest.raises(Fatal, match="b.service .* not-found"):
        manager(machine).missing(["b.service"])


def test_an_answer_that_is_an_error_can_be_tried_again(machine: Machine) -> None:
    units = manager(machine)
    with pytest.raises(Retry, match="org.freedesktop.systemd1"), units._calls() as calls:
        calls.StartUnit("nothing.service", "replace")


def test_a_service_that_is_not_there_can_be_tried_again(bus_address: str) -> None:
    import pydbus

    with pydbus.connect(bus_address) as bus:
        with pytest.raises(Retry, match="systemd1"):
            Systemd(lambda: bus).missing(["a.service"])
        with pytest.raises(Retry, match="timedate1"):
            clock.synchronized(lambda: bus)


def test_the_clock_is_read_from_timedated(machine: Machine) -> None:
    assert clock.synchronized(lambda: machine.bus) is False
    machine.timedate.NTPSynchronized = True
    assert clock.synchronized(lambda: machine.bus) is True
