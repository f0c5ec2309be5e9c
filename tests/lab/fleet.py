"""Several machines that become one cluster: their networks, their answers from a kit, their start.

Each machine has three network cards: one for people, on QEMU's own network, and two Ethernet
segments that the machines share, the cluster's links. It has the hardware watchdog that QEMU
offers. Emulated machines have a slower time of their own.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.cluster import kit
from agent.core.errors import CommandTimeout
from tests.lab.accelerator import slow_time
from tests.lab.answers import Answer, answer
from tests.lab.arguments import Accelerator
from tests.lab.install import (
    LOGIN_LIMIT,
    SSH_PORT,
    WEB_PORT,
    InstalledNode,
    Milestone,
    follow,
    free_port,
    install,
)
from tests.lab.layouts import LAYOUTS, Layout
from tests.lab.machine import Machine
from tests.lab.serial import Line
from tests.lab.spec import Disk, FirmwareName, Forward, MachineSpec, Nic, SocketNetwork, UserNetwork
from tests.lab.ssh import Key, Ssh
from tests.lab.wait import until

CLUSTER = "lab"
LAYOUT = LAYOUTS["lvm-ext4"]
# The names of the network cards, in their order: people, first link, second link.
CARDS = ("lan0", "lan1", "lan2")
BRIDGES = ("vmbr1", "vmbr2")
WATCHDOG = ("-device", "i6300esb", "-action", "watchdog=reset")
# Emulated, one join takes more processor time than corosync and SBD wait: see tests.lab.dilation.
DILATION = 4
# Seconds of the machines' own time; three are emulated on two cores that others use as well.
MEMBER_LIMIT = 1200.0
STATUS_LIMIT = 120.0
# A node resets itself 10 s after it lost the others.
RESET_LIMIT = 150.0
MEMBER_MILESTONES = (
    Milestone("agent_started", "slipway-agent: started", 600),
    Milestone("member", "slipway-agent: step cluster done", MEMBER_LIMIT),
    Milestone("ready", "slipway-agent: ready", MEMBER_LIMIT),
)
# A node that waits for others says "not ready" and tries again.
FAILED = r"slipway-agent: failed: .*|Kernel panic"

Listener = Callable[[str, Line], None]


def link_address(number: int, link: int = 0) -> str:
    """The address of machine `number`, from 1, on a link of the cluster."""
    return f"10.77.{link}.{number}"


def node_name(number: int) -> str:
    return f"node{number}"


def fleet_specs(
    count: int, firmware: FirmwareName, layout: Layout = LAYOUT
) -> tuple[MachineSpec, ...]:
    """Machines that share two Ethernet segments."""
    segments = tuple(SocketNetwork(free_port()) for _ in BRIDGES)
    return tuple(_spec(number, firmware, segments, layout) for number in range(1, count + 1))


def _spec(
    number: int, firmware: FirmwareName, segments: Sequence[SocketNetwork], layout: Layout
) -> MachineSpec:
    forwards = tuple(Forward(free_port(), guest) for guest in (SSH_PORT, WEB_PORT))
    networks: tuple[UserNetwork | SocketNetwork, ...] = (UserNetwork(forwards), *segments)
    return MachineSpec(
        node_name(number),
        firmware,
        disks=tuple(Disk(disk, serial=f"LAB-{disk}") for disk in (*layout.disks, *layout.data)),
        nics=tuple(Nic(_mac(number, card), network) for card, network in enumerate(networks)),
        extra=WATCHDOG,
    )


def _mac(number: int, card: int) -> str:
    return f"52:54:00:00:{number:02x}:{card:02x}"


def fleet_answers(count: int, public_key: str, layout: Layout = LAYOUT) -> tuple[Answer, ...]:
    """The answers of a kit's machines; HA is asked for."""
    names = [node_name(number) for number in range(1, count + 1)]
    addresses = {node_name(number): link_address(number) for number in range(1, count + 1)}
    tables = kit.make(CLUSTER, names, addresses, datetime.now(UTC))
    return tuple(
        _answer(number, tomllib.loads(tables[name].table())["cluster"], public_key, layout)
        for number, name in enumerate(names, start=1)
    )


def _answer(number: int, table: dict[str, Any], public_key: str, layout: Layout) -> Answer:
    made = answer(layout, public_key)
    made["global"]["fqdn"] = f"{node_name(number)}.lab.example.org"
    made["network"] |= {
        "interface": CARDS[0],
        "interface-name-pinning": {
            "enabled": True,
            "mapping": {_mac(number, card): name for card, name in enumerate(CARDS)},
        },
        "bridges": [
            {"name": bridge, "ports": [card], "cidr": f"{link_address(number, link)}/24"}
            for link, (bridge, card) in enumerate(zip(BRIDGES, CARDS[1:], strict=True))
        ],
    }
    made["cluster"] = table | {"links": list(BRIDGES)}
    if table["mode"] == "create":
        made["cluster"]["ha"] = True
    return made


@dataclass
class Member:
    """A node of the fleet, and its machine since it was last switched on. starts: from its disk."""

    installed: InstalledNode
    machine: Machine
    starts: int = 1

    @property
    def name(self) -> str:
        return self.installed.spec.name

    @property
    def ssh(self) -> Ssh:
        return self.installed.ssh

    def pull_power(self) -> None:
        """Switch the machine off, as pulling its cord does; it may be off."""
        with self.machine:
            pass

    def switch_on(self) -> None:
        """Start the machine from its disk again."""
        self.starts += 1
        self.machine = self.installed.boot(self.installed.home.with_name(f"boot-{self.starts}"))

    def plug_links(self, *, plugged: bool) -> None:
        """Plug in the cables of the cluster's links, or pull them."""
        for nic in self.machine.spec.nics[1:]:
            self.machine.plug_cable(nic, plugged=plugged)

    def cluster(self) -> dict[str, Any] | None:
        """`slipway cluster status --json`; None while it cannot be asked."""
        argv = ["slipway", "cluster", "status", "--json"]
        try:
            said = self.ssh.run(argv, check=False, limit=STATUS_LIMIT)
            found: dict[str, Any] = json.loads(said.stdout)
        except (CommandTimeout, ValueError):
            return None
        return found

    def wait_for(
        self, condition: Callable[[dict[str, Any]], bool], limit: float, what: str
    ) -> dict[str, Any]:
        """Wait until the cluster's state, as this node sees it, is as wanted. Raises LabTimeout.

        limit: seconds of the machine's time.
        """

        def attempt() -> dict[str, Any] | None:
            state = self.cluster()
            return state if state is not None and condition(state) else None

        return self.until(attempt, limit, what)

    def until[T](self, attempt: Callable[[], T | None], limit: float, what: str) -> T:
        """Wait for something here; limit: seconds of the machine's time. See tests.lab.wait."""
        limit *= self.installed.spec.slowness
        return until(attempt, limit, what, where=self.name, interval=2)

    def wait_for_reset(self) -> None:
        """Wait until the watchdog resets the machine, which lost the others. Raises LabError."""
        self.machine.qmp.wait_event("WATCHDOG", RESET_LIMIT * self.installed.spec.slowness)


@contextmanager
def power_on(
    specs: Sequence[MachineSpec],
    answers: Sequence[Answer],
    image: Path,
    key: Key,
    accelerator: Accelerator,
    folder: Path,
    on_line: Listener = lambda _name, _line: None,
) -> Iterator[tuple[Member, ...]]:
    """Switch blank machines on at once; they install, start from their disks and go on alone.

    Gives the running nodes once each of them is ready; their `seconds`, from power-on, are of the
    time around them.
    Machines that do not outlive the program are switched off at the end. Raises LabError.
    """
    dilation = slow_time(accelerator, DILATION)
    with ExitStack() as running, ThreadPoolExecutor(len(specs)) as pool:

        def bring_up(spec: MachineSpec, wanted: Answer) -> Member:
            spec = replace(spec, dilation=dilation)
            home = folder / spec.name

            def heard(line: Line) -> None:
                on_line(spec.name, line)

            node, start = install(spec, wanted, image, key, accelerator, home, on_line=heard)
            machine = node.boot(home / "boot-1", power_on=start, on_line=heard)
            member = Member(node, machine)
            running.callback(member.pull_power)
            seconds = follow(machine.serial, MEMBER_MILESTONES, FAILED, spec.slowness)
            member.installed = replace(node, seconds=node.seconds | seconds)
            node.ssh.wait_until_up(LOGIN_LIMIT)
            return member

        yield tuple(pool.map(bring_up, specs, answers))
