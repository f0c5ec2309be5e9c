"""The live system without its front ends: a shell on the serial line, and the installer by hand."""

from __future__ import annotations

from pathlib import Path

from tests.lab.machine import Machine

PROMPT = r"# $"
STICK = "stick"
LINK = "/dev/disk/by-label/SLIPWAY"
MENU_KEY = "\x1b[21~"
LOG = "/run/slipway/installer.log"
RUN = (
    f"rm -f {LOG}; (cd /usr/lib/slipway && exec python3 -m installer run --unattended 2>/dev/null)"
)


def leave_for_shell(machine: Machine, limit: float) -> str:
    """Wait until people are asked, and get a shell on the serial line; limit is in seconds.

    The installer and the screen's front end are ended. Gives what the serial line has said.
    """
    serial = machine.serial
    serial.wait_for("F10 Menu", limit, "the front end")
    greeting = "\n".join(line.text for line in serial.lines)
    serial.send(MENU_KEY)
    serial.wait_for("< Shell >", 60, "the menu")
    serial.send("\r")
    serial.wait_for(PROMPT, 60, "root's shell")
    stop = "systemctl stop slipway-installer getty@tty1"
    assert serial.run(stop, 60)[0] == 0
    # Only what the installer says, and nothing of what the kernel has to say.
    assert serial.run("dmesg --console-level 1", 60)[0] == 0
    return greeting


def plug_in(machine: Machine, volume: Path) -> None:
    """Plug in a stick that holds an answer file, and wait until the live system sees it."""
    machine.plug_usb(STICK, volume)
    machine.serial.run(f"until test -e {LINK}; do sleep 0.2; done", 60)


def run_installer(machine: Machine, limit: float) -> tuple[int, list[str]]:
    """Run the installer to its end: its status, and what it says on the serial line."""
    return machine.serial.run(RUN, limit)


def log_of(machine: Machine) -> str:
    """The log of the last run."""
    return "\n".join(machine.serial.run(f"cat {LOG}", 60)[1])
