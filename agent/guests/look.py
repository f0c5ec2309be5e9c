"""Looking: the guests of this node, and to whom those of the cluster belong. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from agent import hypervisor
from agent.cluster.cib import Cib
from agent.cluster.guests import model as definitions
from agent.containers import look, lxc
from agent.guests.model import KINDS, Guest, Owned, State
from agent.hypervisor import Machine

# LXC's words.
CONTAINER_STATES: dict[str, State] = {
    "RUNNING": "running",
    "STOPPED": "stopped",
    "FROZEN": "paused",
}


def guests() -> tuple[Guest, ...]:
    """Machines, then containers, each by name. Raises Retry, CommandFailed, ContainerError."""
    machines = (of_machine(each) for each in hypervisor.machines())
    return (*sorted(machines, key=lambda one: one.name), *map(_container, look.names()))


def of_machine(machine: Machine) -> Guest:
    """A virtual machine as libvirt describes it."""
    return Guest(
        kind="machine",
        name=machine.name,
        state=machine.state,
        cores=machine.cores,
        memory_bytes=machine.memory_kib << 10,
        start_at_boot=machine.autostart,
    )


def _container(name: str) -> Guest:
    seen = look.see(name)
    state = CONTAINER_STATES.get(seen.state, "other")
    addresses = look.addresses(name) if state == "running" else ()
    return of_container(name, state, lxc.values(seen.configuration), addresses)


def of_container(
    name: str, state: State, values: Mapping[str, tuple[str, ...]], addresses: tuple[str, ...]
) -> Guest:
    """A container. values: of its configuration."""
    time, period = values.get("lxc.cgroup2.cpu.max", ("0 1",))[-1].split()
    return Guest(
        kind="container",
        name=name,
        state=state,
        cores=0 if time == "max" else int(time) / int(period),
        memory_bytes=int(values.get("lxc.cgroup2.memory.max", ("0",))[-1]),
        start_at_boot=values.get("lxc.start.auto", ("0",))[-1] == "1",
        addresses=addresses,
    )


def owners() -> tuple[Owned, ...]:
    """Every guest of the cluster, by name. Raises CommandFailed where the cluster does not run."""
    claimed = definitions.claims(Cib().texts())
    found = [(*definitions.guest(key), claim.node) for key, claim in claimed.items()]
    return tuple(
        Owned(kind=KINDS[kind], name=name, node=node)
        for kind, name, node in sorted(found, key=lambda one: (one[1], one[0]))
    )
