"""Services: the units of every role run, and what each role offers answers."""

from __future__ import annotations

from agent import probes
from agent.stack import Stack
from agent.step import Retry, Step
from agent.systemd import Systemd


class Services(Step):
    """All roles at once, so that systemd starts their units in parallel."""

    name = "services"

    def __init__(self, stack: Stack, systemd: Systemd) -> None:
        self.roles = stack.roles
        self.systemd = systemd
        self.units = tuple(unit for role in stack.roles for unit in role.units)

    def desired(self) -> object:
        return [role.model_dump(include={"name", "units", "probes"}) for role in self.roles]

    def observe(self) -> tuple[str, ...]:
        return self.systemd.missing(self.units)

    def act(self) -> None:
        self.systemd.bring_up(self.units)

    def prove(self) -> str:
        self.systemd.prove(self.units)
        failed = [
            f"{role.name}: {line}" for role in self.roles for line in probes.failures(role.probes)
        ]
        if failed:
            raise Retry("; ".join(failed))
        return ""
