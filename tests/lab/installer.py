"""Many nodes from one start of the live system."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from tests.lab.answers import Answer, as_toml
from tests.lab.arguments import Accelerator
from tests.lab.install import (
    INSTALLER_FAILED,
    INSTALLER_MILESTONES,
    REBOOT_LIMIT,
    InstalledNode,
    follow,
    node_spec,
)
from tests.lab.layouts import NAMES, Layout
from tests.lab.live import RUN, leave_for_shell, plug_in
from tests.lab.machine import Machine
from tests.lab.spec import FirmwareName, MachineSpec, Medium
from tests.lab.ssh import Key
from tests.lab.volume import make_volume

START_LIMIT = 1800.0


class Installer:
    """Starts the live system once in each firmware, without an answer and beside blank disks, and
    keeps the state of its memory. Each installation goes on from there, with blank disks of its
    own, and saves the minute in which an emulated machine starts from the medium.
    """

    def __init__(self, iso: Path, key: Key, accelerator: Accelerator, home: Path) -> None:
        """home: an empty folder for the states."""
        self.iso = iso
        self.key = key
        self.accelerator = accelerator
        self.home = home

    def install(
        self, name: str, firmware: FirmwareName, layout: Layout, wanted: Answer, folder: Path
    ) -> InstalledNode:
        """Install a node on the layout's disks; its seconds count from the installer's start.

        folder: gets `disks/`, and the logs in `install/`.
        """
        state = self._state(firmware)
        home = folder / "disks"
        shutil.copytree(state, home, ignore=shutil.ignore_patterns("memory"))
        volume = make_volume(folder / "answer.img", {"answer.toml": as_toml(wanted)})
        spec = machine_of(name, firmware, layout)
        live = replace(self._live(spec), incoming=state / "memory")
        with Machine(live, home, folder / "install", self.accelerator) as machine:
            plug_in(machine, volume)
            machine.serial.send(f"{RUN}\n")
            seconds = follow(machine.serial, INSTALLER_MILESTONES, INSTALLER_FAILED)
            machine.wait_for_reset(REBOOT_LIMIT)
        volume.unlink()
        return InstalledNode(spec, home, self.key, self.accelerator, seconds)

    def _live(self, spec: MachineSpec) -> MachineSpec:
        """The same hardware for every layout: a state fits no other."""
        disks = machine_of(spec.name, spec.firmware, Layout(NAMES, {})).disks
        return replace(spec, disks=disks, media=(Medium(self.iso),), stop_at_reboot=True)

    def _state(self, firmware: FirmwareName) -> Path:
        """A folder with the saved memory and the firmware's variables."""
        state = self.home / firmware
        if not (state / "memory").exists():
            spec = self._live(machine_of(f"live-{firmware}", firmware, Layout((), {})))
            disks = self.home / f"{firmware}-disks"
            with Machine(spec, disks, self.home / f"{firmware}-logs", self.accelerator) as machine:
                leave_for_shell(machine, START_LIMIT)
                state.mkdir()
                machine.save_memory(state / "memory")
            for variables in disks.glob("firmware-variables.*"):
                variables.rename(state / variables.name)
            shutil.rmtree(disks)
        return state


def machine_of(name: str, firmware: FirmwareName, layout: Layout) -> MachineSpec:
    """A machine for the layout, with one processor: two that are emulated on a busy host wait for
    each other.
    """
    return replace(node_spec(name, firmware, layout), cpus=1)
