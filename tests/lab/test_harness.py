"""The laboratory itself, on a machine that starts the ISO's kernel and stays in its initrd."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import iso
from tests.lab.arguments import Accelerator
from tests.lab.conftest import LAB, empty_folder
from tests.lab.errors import LabError
from tests.lab.machine import Machine
from tests.lab.spec import GIB, Disk, Kernel, MachineSpec
from tests.lab.volume import make_volume

pytestmark = pytest.mark.lab

PROMPT = r"^\(initramfs\) $"
START_LIMIT = 120


@pytest.fixture(scope="module")
def machine(built_iso: Path, kernel: Path, accelerator: Accelerator) -> Iterator[Machine]:
    """A machine whose serial console has the initrd's shell."""
    folder = empty_folder("harness")
    initrd = iso.extract(built_iso, iso.INITRD, LAB / "initrd.img")
    spec = MachineSpec(
        "harness",
        "uefi",
        disks=(Disk("vda", GIB, serial="S1"), Disk("sda", 2 * GIB, bus="scsi", sector=4096)),
        kernel=Kernel(kernel, "console=tty0 console=ttyS0 loglevel=1 break=bottom", initrd),
    )
    with Machine(spec, folder / "disks", folder, accelerator) as started:
        started.serial.wait_for(PROMPT, START_LIMIT, "the initrd's shell")
        yield started
    shutil.rmtree(folder / "disks")


def test_console_disks_and_snapshots(machine: Machine) -> None:
    sizes = "cat /sys/block/vda/size /sys/block/sda/queue/logical_block_size /sys/block/vda/serial"
    assert machine.serial.run(sizes, 30) == (0, [str(GIB // 512), "4096", "S1"])
    machine.serial.run("kept=before; echo old > /file", 30)
    machine.save("first")
    machine.serial.run("kept=after; rm /file", 30)
    machine.restore("first")
    assert machine.serial.run("echo $kept; cat /file", 30) == (0, ["before", "old"])


def test_a_stick_comes_and_goes(machine: Machine, folder: Path) -> None:
    volume = make_volume(folder / "stick.img", {"answer.toml": "x = 1\n"})
    wait = "until {}test -e /dev/disk/by-label/SLIPWAY; do sleep 0.1; done"
    machine.plug_usb("stick", volume)
    assert machine.serial.run(wait.format(""), 60)[0] == 0
    machine.unplug_usb("stick")
    assert machine.serial.run(wait.format("! "), 60)[0] == 0


def test_reset_power_off_and_what_stays_behind(machine: Machine) -> None:
    machine.serial.send("reboot -f\n")
    machine.wait_for_reset(30)
    machine.serial.wait_for(PROMPT, START_LIMIT, "the initrd's shell after the reset")
    machine.serial.send("poweroff -f\n")
    machine.wait_for_power_off(30)
    machine.stop()
    logs = machine.paths.logs
    assert "(initramfs)" in (logs / "serial.log").read_text(errors="replace")
    assert "qemu-system-x86_64 -name harness" in (logs / "command").read_text()
    assert (logs / "screen.png").read_bytes().startswith(b"\x89PNG")
    assert not machine.paths.sockets.exists()


def test_a_machine_that_does_not_start(folder: Path, accelerator: Accelerator) -> None:
    spec = MachineSpec("broken", extra=("-device", "no-such-device"))
    with pytest.raises(LabError, match="QEMU does not start") as caught:
        Machine(spec, folder / "disks", folder, accelerator)
    assert "no-such-device" in str(caught.value)
