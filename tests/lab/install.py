"""From blank disks to a node that is ready: install from the ISO, restart without it, wait."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.lab.answers import ADDRESS, GUESTS_START, Answer, as_toml
from tests.lab.arguments import Accelerator
from tests.lab.layouts import Layout
from tests.lab.machine import Machine
from tests.lab.serial import Line, Serial
from tests.lab.spec import Disk, FirmwareName, Forward, MachineSpec, Medium, Nic, UserNetwork
from tests.lab.ssh import Key, Ssh
from tests.lab.volume import make_volume

SSH_PORT = 22
WEB_PORT = 9090
# Seconds; sized for emulation on two busy cores.
REBOOT_LIMIT = 180.0
LOGIN_LIMIT = 120.0
# A system with much to write out takes its time.
POWER_OFF_LIMIT = 300.0


@dataclass(frozen=True)
class Milestone:
    """A line that a program of Slipway prints on the console, and the seconds it may take."""

    name: str
    line: str
    limit: float


INSTALLER_MILESTONES = (
    Milestone("installer_started", "slipway-installer: started", 600),
    Milestone("plan_made", "slipway-installer: plan made", 120),
    Milestone("disks_ready", "slipway-installer: disks ready", 180),
    Milestone("image_unpacked", "slipway-installer: image unpacked", 600),
    Milestone("installed", "slipway-installer: installed", 300),
)
INSTALLER_FAILED = r"slipway-installer: failed: .*|Kernel panic"
AGENT_MILESTONES = (
    Milestone("agent_started", "slipway-agent: started", 600),
    Milestone("ready", "slipway-agent: ready", 600),
)
AGENT_FAILED = r"slipway-agent: (failed|not ready): .*|Kernel panic"

Listener = Callable[[Line], None]


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def node_spec(name: str, firmware: FirmwareName, layout: Layout) -> MachineSpec:
    """A machine with the layout's disks, and its SSH and web ports within reach."""
    forwards = tuple(Forward(free_port(), guest) for guest in (SSH_PORT, WEB_PORT))
    return MachineSpec(
        name,
        firmware,
        disks=tuple(Disk(disk, serial=f"LAB-{disk}") for disk in (*layout.disks, *layout.data)),
        nics=(Nic("52:54:00:00:00:01", UserNetwork(forwards)),),
    )


def with_guests(spec: MachineSpec) -> MachineSpec:
    """The machine of a node with a fixed address; DHCP offers its guests others."""
    nics = tuple(
        (
            replace(nic, network=_for_guests(nic.network))
            if isinstance(nic.network, UserNetwork)
            else nic
        )
        for nic in spec.nics
    )
    return replace(spec, nics=nics)


def _for_guests(network: UserNetwork) -> UserNetwork:
    own = ADDRESS.partition("/")[0]
    forwards = tuple(replace(forward, address=own) for forward in network.forwards)
    return replace(network, forwards=forwards, dhcp_start=GUESTS_START)


@dataclass(frozen=True)
class InstalledNode:
    """A node on its disks, switched off. seconds: when each milestone came, from power-on."""

    spec: MachineSpec
    home: Path
    key: Key
    accelerator: Accelerator
    seconds: dict[str, float]

    @property
    def ssh(self) -> Ssh:
        return Ssh(self.spec.forwarded(SSH_PORT), self.key, patience=self.spec.slowness)

    @property
    def web_address(self) -> str:
        return f"https://localhost:{self.spec.forwarded(WEB_PORT)}/"

    def boot(
        self, logs: Path, *, power_on: float | None = None, on_line: Listener | None = None
    ) -> Machine:
        """Switch the node on. power_on, on_line: see Machine."""
        return Machine(
            self.spec, self.home, logs, self.accelerator, power_on=power_on, on_line=on_line
        )


def follow(
    serial: Serial, milestones: tuple[Milestone, ...], failed: str, patience: float = 1.0
) -> dict[str, float]:
    """Wait for each milestone in turn: seconds from power-on by name.

    patience: what the limits are multiplied with, where the machine's time is slower.
    Raises LabTimeout, or LabError as soon as the console says that it failed.
    """
    seconds = {}
    for milestone in milestones:
        found = serial.wait_for(
            milestone.line, milestone.limit * patience, repr(milestone.line), unless=failed
        )
        seconds[milestone.name] = round(found.seconds, 1)
    return seconds


def wait_until_ready(machine: Machine) -> dict[str, float]:
    """Wait until the agent of a node says that it is ready; the seconds as `follow` has them."""
    return follow(machine.serial, AGENT_MILESTONES, AGENT_FAILED, machine.spec.slowness)


def power_off(node: InstalledNode, machine: Machine) -> None:
    """Let the node shut down. The login may end before the command answers."""
    node.ssh.run(["systemctl", "--no-block", "poweroff"], check=False)
    machine.wait_for_power_off(POWER_OFF_LIMIT)


def install(
    spec: MachineSpec,
    answer: Answer,
    iso: Path,
    key: Key,
    accelerator: Accelerator,
    folder: Path,
    *,
    on_line: Listener | None = None,
) -> tuple[InstalledNode, float]:
    """Install a node on the spec's blank disks: the node, and its time.monotonic() at power-on.

    folder: gets `disks/`, and the logs in `install/`; on_line: see Machine.
    """
    volume = make_volume(folder / "answer.img", {"answer.toml": as_toml(answer)})
    media = (Medium(iso), Medium(volume, "usb", boot=False))
    home = folder / "disks"
    live = replace(spec, media=media, stop_at_reboot=True)
    with Machine(live, home, folder / "install", accelerator, on_line=on_line) as machine:
        seconds = follow(machine.serial, INSTALLER_MILESTONES, INSTALLER_FAILED, spec.slowness)
        machine.wait_for_reset(REBOOT_LIMIT * spec.slowness)
    volume.unlink()
    return InstalledNode(spec, home, key, accelerator, seconds), machine.power_on
