"""What cannot be installed is refused in clear words, and nothing is written.

One live system serves all cases: it starts without an answer, from an ISO whose node image has
one flipped byte, and stays reachable after each refusal. Each case plugs in a stick with its
answer and starts the installer again.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.lab import iso
from tests.lab.answers import PASSWORD, Answer, answer, as_toml
from tests.lab.arguments import Accelerator
from tests.lab.conftest import LAYOUT, empty_folder
from tests.lab.contents import fill, fingerprint
from tests.lab.install import INSTALLER_MILESTONES, REBOOT_LIMIT, node_spec
from tests.lab.live import RUN, STICK, leave_for_shell, log_of, plug_in, run_installer
from tests.lab.machine import Machine
from tests.lab.spec import GIB, Disk, Medium
from tests.lab.ssh import Key
from tests.lab.volume import make_volume

pytestmark = pytest.mark.lab

DISKS = (
    Disk("vda", 20 * GIB, serial="LAB-vda", format="raw"),
    Disk("vdb", GIB, serial="LAB-vdb", format="raw"),
)
# Late in the image, where what the live system itself reads is not found.
DAMAGED_AT = 0.75
STARTED = INSTALLER_MILESTONES[0]
FAILED = "slipway-installer: failed: "
RUN_LIMIT = 240


@dataclass(frozen=True)
class Live:
    """The live system after the installer has given up, and what its disks held before.

    greeting: everything on the serial console until then.
    """

    machine: Machine
    disks: dict[Path, str]
    greeting: str

    def nothing_was_written(self) -> bool:
        """The disks are what they were, with everything out of the caches."""
        assert self.machine.serial.run("sync", 60)[0] == 0
        return {disk: fingerprint(disk) for disk in self.disks} == self.disks

    def screen(self) -> str:
        """The text on the screen, without the blanks and ends of lines at its edges."""
        return "".join("".join(self.machine.serial.run("cat /dev/vcs1", 60)[1]).split())

    def log(self) -> str:
        """The log of the last run."""
        return log_of(self.machine)

    def plug_in(self, text: str, folder: Path) -> None:
        """Plug in a stick with this answer file."""
        volume = make_volume(folder / "answer.img", {"answer.toml": text})
        plug_in(self.machine, volume)


@pytest.fixture(scope="module")
def live(built_iso: Path, accelerator: Accelerator) -> Iterator[Live]:
    folder = empty_folder("bad-input")
    home = folder / "disks"
    damaged = iso.with_flipped_byte(built_iso, iso.NODE_IMAGE, DAMAGED_AT, home / "damaged.iso")
    spec = replace(
        node_spec("bad-input", "bios", LAYOUT),
        disks=DISKS,
        media=(Medium(damaged),),
        stop_at_reboot=True,
    )
    paths = {home / f"{disk.name}.raw": disk for disk in DISKS}
    for path, disk in paths.items():
        fill(path, disk.size)
    before = {path: fingerprint(path) for path in paths}
    with Machine(spec, home, folder, accelerator) as machine:
        machine.serial.wait_for(STARTED.line, STARTED.limit, repr(STARTED.line))
        greeting = leave_for_shell(machine, RUN_LIMIT)
        yield Live(machine, before, greeting)
    shutil.rmtree(home)


@pytest.fixture
def good(key: Key) -> Answer:
    """An answer that this machine could be installed with."""
    return answer(LAYOUT, key.public)


def refusal(live: Live, text: str, folder: Path) -> str:
    """What the installer says on the serial console to this answer file."""
    live.plug_in(text, folder)
    status, lines = run_installer(live.machine, RUN_LIMIT)
    live.machine.screenshot(f"{folder.name}.png")
    live.machine.unplug_usb(STICK)
    said = "\n".join(lines)
    assert status != 0
    assert said.count(FAILED) == 1, live.log()
    assert "Traceback" not in said
    return said.partition(FAILED)[2]


def test_without_an_answer_nothing_happens(live: Live) -> None:
    assert "no answer file: a volume labelled SLIPWAY not found" in live.greeting
    assert "no answer was found: nothing was touched" in live.greeting
    assert FAILED not in live.greeting
    assert live.nothing_was_written()


def malformed(good: Answer) -> str:
    return as_toml(good).replace("[network]", "[network")


def incomplete(good: Answer) -> str:
    del good["global"]["timezone"]
    return as_toml(good)


def unknown_key(good: Answer) -> str:
    good["network"]["gatewy"] = good["network"].pop("gateway")
    return as_toml(good)


def no_matching_disk(good: Answer) -> str:
    good["disk-setup"]["disk-list"] = ["vdz"]
    return as_toml(good)


def disk_too_small(good: Answer) -> str:
    good["disk-setup"]["disk-list"] = ["vdb"]
    return as_toml(good)


# What makes the answer bad, and the words of the message.
CASES: dict[Callable[[Answer], str], tuple[str, ...]] = {
    malformed: (r"SLIPWAY:answer\.toml:\d+:\d+: not valid TOML: Expected ']'",),
    incomplete: (r"SLIPWAY:answer\.toml:\d+:\d+: global\.timezone: is missing",),
    unknown_key: (
        r"SLIPWAY:answer\.toml:\d+:\d+: network\.gatewy: is not a known key",
        r'did you mean "gateway"\?',
        r"network\.gateway: is missing",
    ),
    no_matching_disk: ("vdz",),
    disk_too_small: ("vdb", "small"),
}


@pytest.mark.parametrize("spoil", CASES, ids=lambda spoil: spoil.__name__)
def test_a_bad_answer_is_refused(
    spoil: Callable[[Answer], str], live: Live, good: Answer, folder: Path
) -> None:
    said = refusal(live, spoil(good), folder)
    log, screen = live.log(), live.screen()
    for pattern in CASES[spoil]:
        assert re.search(pattern, said)
        assert re.search(pattern, log)
        assert re.search(pattern.replace(" ", ""), screen)
    assert PASSWORD not in log + said
    assert live.nothing_was_written()


def test_a_damaged_medium_is_refused(live: Live, good: Answer, folder: Path) -> None:
    said = refusal(live, as_toml(good), folder)
    assert "10-node.squashfs: the installation medium is damaged" in said
    assert "10-node.squashfs: the installation medium is damaged" in live.log()
    assert "theinstallationmediumisdamaged" in live.screen()
    assert live.nothing_was_written()


def test_a_restart_when_the_answer_asks_for_it(live: Live, good: Answer, folder: Path) -> None:
    """Comes last: the machine is gone afterwards."""
    good["global"]["reboot-on-error"] = True
    live.plug_in(no_matching_disk(good), folder)
    live.machine.serial.send(f"{RUN}\n")
    live.machine.serial.wait_for(FAILED, RUN_LIMIT, repr(FAILED))
    live.machine.wait_for_reset(REBOOT_LIMIT)
    assert {disk: fingerprint(disk) for disk in live.disks} == live.disks
