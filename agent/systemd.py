"""systemd's units over D-Bus: what they are doing, enabling them, starting them together."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from agent.bus import GetBus, calls, system_bus
from agent.step import Fatal, Retry, WaitForOperator

SERVICE = "org.freedesktop.systemd1"
POLL_SECONDS = 0.25
# Emulated machines take minutes for what a real one does in seconds.
SETTLE_SECONDS = 300.0
CALL_SECONDS = 120
# A unit file in one of these states is not started with the machine, and can be.
NOT_ENABLED = frozenset({"disabled", "linked", "linked-runtime", "enabled-runtime"})


@dataclass(frozen=True)
class Unit:
    """One unit as systemd's manager lists it. busy: a job for it is queued or running."""

    name: str
    load_state: str
    active_state: str
    sub_state: str
    busy: bool

    @property
    def settled(self) -> bool:
        """It will not change by itself."""
        return not self.busy and self.active_state in ("active", "inactive", "failed")

    def __str__(self) -> str:
        return f"{self.name} is {self.active_state} ({self.sub_state})"


class Systemd:
    """The system manager. Every method raises Retry when it cannot be reached over the bus."""

    def __init__(self, bus: GetBus = system_bus) -> None:
        """bus: gives the bus that the manager is on."""
        self._bus = bus
        self._manager: Any = None

    def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        """The state of these units, in this order.

        Raises Fatal for one that is not installed, WaitForOperator for one that is masked.
        """
        with self._calls() as manager:
            rows = manager.ListUnitsByNames(list(names))
        units = tuple(Unit(row[0], row[2], row[3], row[4], row[7] != 0) for row in rows)
        for unit in units:
            if unit.load_state == "masked":
                raise WaitForOperator(
                    f"the unit {unit.name} is masked", hint=f"run: systemctl unmask {unit.name}"
                )
            if unit.load_state != "loaded":
                raise Fatal(
                    f"the unit {unit.name} cannot be used, it is {unit.load_state}",
                    hint="reinstall the package it belongs to",
                )
        return units

    def settle(self, names: Sequence[str]) -> tuple[Unit, ...]:
        """Wait until none of the units changes by itself any more, at most SETTLE_SECONDS.

        Returns the units as they are then.
        """
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            units = self.units(names)
            if all(unit.settled for unit in units) or time.monotonic() >= end:
                return units
            time.sleep(POLL_SECONDS)

    def missing(self, names: Sequence[str]) -> tuple[str, ...]:
        """What keeps the units from being enabled and active, in words.

        Units that are just being started, as at every start of the machine, are waited for.
        """
        inactive = [str(unit) for unit in self.settle(names) if unit.active_state != "active"]
        return (*inactive, *(f"{name} is not enabled" for name in self._not_enabled(names)))

    def bring_up(self, names: Sequence[str]) -> None:
        """Enable and start what is not, all starts at once; systemd puts them in order."""
        disabled = self._not_enabled(names)
        idle = [unit for unit in self.units(names) if unit.active_state != "active"]
        with self._calls() as manager:
            if disabled:
                manager.EnableUnitFiles(list(disabled), False, True, timeout=CALL_SECONDS)
                manager.Reload(timeout=CALL_SECONDS)
            for unit in idle:
                if unit.active_state == "failed":
                    manager.ResetFailedUnit(unit.name)
                manager.StartUnit(unit.name, "replace")

    def prove(self, names: Sequence[str]) -> None:
        """Wait for the units to be active. Raises Retry that names those which are not."""
        broken = [unit for unit in self.settle(names) if unit.active_state != "active"]
        if broken:
            raise Retry(
                ", ".join(map(str, broken)),
                hint="see: journalctl -b " + " ".join(f"-u {unit.name}" for unit in broken),
            )

    def enabled(self, name: str) -> bool:
        """Whether the unit starts with the machine, or with a unit that does."""
        with self._calls() as manager:
            return bool(manager.GetUnitFileState(name) == "enabled")

    def restart(self, name: str) -> None:
        """Start a unit anew, or for the first time, without waiting for it."""
        with self._calls() as manager:
            manager.RestartUnit(name, "replace")

    def ending(self, name: str) -> str:
        """How the service's last run ended, in systemd's words: "exit-code, status 7"."""
        with self._calls() as manager:
            unit = self._bus().get(SERVICE, manager.LoadUnit(name))
            service = unit[f"{SERVICE}.Service"]
            return f"{service.Result}, status {service.ExecMainStatus}"

    def _not_enabled(self, names: Sequence[str]) -> tuple[str, ...]:
        with self._calls() as manager:
            return tuple(name for name in names if manager.GetUnitFileState(name) in NOT_ENABLED)

    @contextmanager
    def _calls(self) -> Iterator[Any]:
        with calls(SERVICE):
            self._manager = self._manager or self._bus().get(SERVICE)[f"{SERVICE}.Manager"]
            yield self._manager
