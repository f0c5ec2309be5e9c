"""First boot: the program of the answer file has run, and has ended with status 0.

systemd runs it, in a unit of its own with a time limit; the installer wrote that unit. It removes
the program after status 0, and starts it again at the next start of the machine until then.
"""

from __future__ import annotations

from pathlib import Path

from agent.config import FIRST_BOOT, FIRST_BOOT_UNIT, FirstBootOrdering
from agent.step import Retry, Step, WaitForOperator
from agent.systemd import Systemd

UNITS = (FIRST_BOOT_UNIT,)


class FirstBoot(Step):
    """The program is not there any more, because it has succeeded."""

    name = "first-boot"

    def __init__(
        self,
        ordering: FirstBootOrdering,
        systemd: Systemd,
        needs: tuple[str, ...],
        program: Path = FIRST_BOOT,
    ) -> None:
        """needs: the steps that a program waits for which runs when the node is up."""
        self.ordering = ordering
        self.systemd = systemd
        self.needs = needs if ordering == "fully-up" else ()
        self.program = program

    def desired(self) -> object:
        return {"ordering": self.ordering}

    def observe(self) -> tuple[str, ...]:
        return ("the program has not succeeded yet",) if self.program.exists() else ()

    def act(self) -> None:
        # One that has failed since the machine was started runs again when a person says so.
        if self.program.exists():
            (unit,) = self.systemd.units(UNITS)
            if unit.settled and unit.active_state == "inactive":
                self.systemd.bring_up(UNITS)

    def prove(self) -> str:
        if not self.program.exists():
            return ""
        (unit,) = self.systemd.settle(UNITS)
        if not unit.settled:
            raise Retry("the program is still running", hint=f"see: journalctl -fu {unit.name}")
        if self.program.exists():
            raise WaitForOperator(
                f"the program failed: {self.systemd.ending(unit.name)}",
                hint=f"see: journalctl -b -u {unit.name} - it runs again at the next start of the "
                f"machine, or now with: systemctl restart {unit.name} slipway-agent",
            )
        return ""
