"""Storages: those that the node was told of are in use, or waited for without keeping it."""

from __future__ import annotations

from agent.core.errors import SlipwayError
from agent.step import Step, WaitForOperator
from agent.storages import reach, registry, use
from agent.storages.model import Storage
from agent.systemd import Systemd

# It goes on trying those whose servers do not answer, and ends with the last.
UNIT = "slipway-storages.service"


class Storages(Step):
    """Every declared storage whose server answers is a pool of libvirt. A node is ready without
    the others, and says so; they are taken into use when they come.
    """

    name = "storages"
    needs = ("storage",)

    def __init__(self, systemd: Systemd) -> None:
        self.systemd = systemd

    def desired(self) -> object:
        declared = self._declared()
        return {name: each.model_dump(mode="json") for name, each in declared.items()}

    def observe(self) -> tuple[str, ...]:
        declared = self._declared()
        there = [name for name in use.unused() if reach.answering(declared[name]) is not None]
        return tuple(f"the storage {name} is not in use" for name in there)

    def act(self) -> None:
        use.connect_all()

    def prove(self) -> str:
        if not use.unused():
            return ""
        failed = use.connect_all()
        if failed:
            self.systemd.bring_up((UNIT,))
        return "; ".join(f"the storage {name} is not in use: {why}" for name, why in failed.items())

    def _declared(self) -> dict[str, Storage]:
        try:
            return registry.load()
        except SlipwayError as error:
            raise WaitForOperator(
                error.message, where=error.where, hint="correct the file, or remove it"
            ) from error
