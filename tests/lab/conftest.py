"""What the tests of the laboratory share: the ISO, the accelerator, installed nodes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.lab import accelerator as accelerators
from tests.lab import iso
from tests.lab.accelerator import slow_time
from tests.lab.answers import answer
from tests.lab.arguments import Accelerator
from tests.lab.cells import FIRMWARE
from tests.lab.fleet import Member, fleet_answers, fleet_specs, power_on
from tests.lab.host import Host
from tests.lab.install import (
    LOGIN_LIMIT,
    InstalledNode,
    install,
    node_spec,
    wait_until_ready,
    with_guests,
)
from tests.lab.installer import Installer
from tests.lab.layouts import HOME, LAYOUTS
from tests.lab.machine import Machine
from tests.lab.rotation import part_of_this_commit
from tests.lab.spec import MachineSpec
from tests.lab.ssh import Key, Ssh, make_key
from tests.lab.tiny_guest import make_initrd

LAB = iso.OUT / "lab"
LAYOUT = LAYOUTS["lvm-ext4"]


@dataclass(frozen=True)
class RunningNode:
    """A node that was installed from the ISO and is ready. logs: of its whole life."""

    installed: InstalledNode
    machine: Machine
    logs: Path

    @property
    def ssh(self) -> Ssh:
        return self.installed.ssh


@pytest.fixture(scope="session")
def built_iso() -> Path:
    """The ISO; an error, not a skip, when it was not built."""
    return iso.newest()


@pytest.fixture(scope="session")
def kernel(built_iso: Path) -> Path:
    return iso.extract(built_iso, iso.KERNEL, LAB / "vmlinuz")


@pytest.fixture(scope="session")
def accelerator(kernel: Path) -> Accelerator:
    return accelerators.probe(kernel)


@pytest.fixture(scope="session")
def key() -> Key:
    return make_key(LAB / "key")


@pytest.fixture(scope="session")
def installer(built_iso: Path, accelerator: Accelerator, key: Key) -> Iterator[Installer]:
    """For tests of what was installed rather than of the medium's start."""
    home = empty_folder("installer")
    yield Installer(built_iso, key, accelerator, home)
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def guest_initrd(built_iso: Path) -> Path:
    """The initrd of tiny guests, see tests.lab.guests."""
    return make_initrd(built_iso, empty_folder("tiny-guest"))


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """An empty out/lab/<test>/ for logs; `disks` in it is removed when the test ends."""
    made = empty_folder(request.node.name)
    yield made
    shutil.rmtree(made / "disks", ignore_errors=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A plain run installs the node in one firmware, the matrix in the other; see rotation."""
    if "installed" in metafunc.fixturenames:
        chosen = part_of_this_commit().other_firmware
        firmware = [
            pytest.param(name, marks=() if name == chosen else pytest.mark.matrix)
            for name in FIRMWARE
        ]
        metafunc.parametrize("installed", firmware, indirect=True, scope="session")


@pytest.fixture(scope="session")
def installed(
    request: pytest.FixtureRequest, built_iso: Path, accelerator: Accelerator, key: Key
) -> Iterator[RunningNode]:
    """One node for each firmware, installed once for all tests; see `node`."""
    logs = empty_folder(f"node-{request.param}")
    spec = with_guests(node_spec(f"node-{request.param}", request.param, LAYOUT))
    made, _ = install(spec, answer(LAYOUT, key.public), built_iso, key, accelerator, logs)
    with made.boot(logs / "boot") as machine:
        wait_until_ready(machine)
        made.ssh.wait_until_up(LOGIN_LIMIT)
        machine.pause()
        yield RunningNode(made, machine, logs)
    shutil.rmtree(made.home)


@pytest.fixture
def node(installed: RunningNode) -> Iterator[RunningNode]:
    """A node that is ready. It stands still between tests, so that others have the processors."""
    installed.machine.resume()
    yield installed
    installed.machine.pause()


def empty_folder(name: str) -> Path:
    """out/lab/<name>/ without what an earlier run left there."""
    path = LAB / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


# Two processors, each with memory of its own, so that a guest can be bound to one of them.
NUMA = tuple(
    word
    for number in range(2)
    for word in (
        *("-object", f"memory-backend-ram,id=ram{number},size=2G"),
        *("-numa", f"node,cpus={number},memdev=ram{number}"),
    )
)


# Two emulated processors on a busy host wait for each other; Linux then takes its clock for broken.
HOST_DILATION = 2


def host_spec(spec: MachineSpec, accelerator: Accelerator) -> MachineSpec:
    """The machine of a node that carries guests."""
    dilation = slow_time(accelerator, HOST_DILATION)
    return with_guests(replace(spec, memory_mib=4096, cpus=2, extra=NUMA, dilation=dilation))


@pytest.fixture(scope="session", params=["lvm-ext4", "zfs-raid0"])
def host(
    request: pytest.FixtureRequest, installer: Installer, key: Key, guest_initrd: Path
) -> Iterator[Host]:
    """A node for guests, installed and started once; it has one guest that runs, `base`."""
    layout = str(request.param)
    name = f"guests-{layout}"
    logs = empty_folder(name)
    wanted = answer(LAYOUTS[layout], key.public)
    made = installer.install(name, "bios", LAYOUTS[layout], wanted, logs)
    made = replace(made, spec=host_spec(made.spec, installer.accelerator))
    with made.boot(logs / "boot") as machine:
        wait_until_ready(machine)
        made.ssh.wait_until_up(LOGIN_LIMIT)
        host = Host(made, machine, layout, logs)
        host.guests.prepare(guest_initrd)
        with host.timed("virtual machine: create"):
            host.guests.create("base", "size=0.25,format=qcow2")
        yield host
    shutil.rmtree(made.home)


@pytest.fixture(scope="session")
def fleet(built_iso: Path, accelerator: Accelerator, key: Key) -> Iterator[tuple[Member, ...]]:
    """Three blank machines with a kit's answers, switched on at once; see `members`.

    The times of each are in out/lab/fleet/report.json: seconds of this host, and the dilation.
    """
    folder = empty_folder("fleet")
    specs = tuple(replace(spec, memory_mib=3072) for spec in fleet_specs(3, "uefi", HOME))
    answers = fleet_answers(3, key.public, HOME)
    with power_on(specs, answers, built_iso, key, accelerator, folder) as made:
        seconds = {member.name: member.installed.seconds for member in made}
        report = {"dilation": made[0].installed.spec.slowness, "seconds": seconds}
        (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")
        for member in made:
            member.machine.pause()
        yield made
    for spec in specs:
        shutil.rmtree(folder / spec.name / "disks")


@pytest.fixture(scope="module")
def members(fleet: tuple[Member, ...]) -> Iterator[tuple[Member, ...]]:
    """The fleet as one cluster, which stands still between modules. Each leaves all of them on."""
    for member in fleet:
        member.machine.resume()
    yield fleet
    for member in fleet:
        member.machine.pause()


@pytest.fixture
def other(host: Host) -> Iterator[list[str]]:
    """Names of guests that a test makes; they are removed after it."""
    names: list[str] = []
    yield names
    host.guests.remove(names)
