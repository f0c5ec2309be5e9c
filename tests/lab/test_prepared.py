"""A prepared ISO on a USB stick installs a node by itself: nothing else is plugged in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from image.prepare import Wanted, prepare
from tests.lab.answers import FQDN, PASSWORD, answer, as_toml
from tests.lab.arguments import Accelerator
from tests.lab.conftest import LAYOUT
from tests.lab.install import (
    INSTALLER_FAILED,
    INSTALLER_MILESTONES,
    LOGIN_LIMIT,
    REBOOT_LIMIT,
    InstalledNode,
    follow,
    node_spec,
    wait_until_ready,
)
from tests.lab.machine import Machine
from tests.lab.spec import Medium
from tests.lab.ssh import Key

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

FOUND = "answer file: /run/live/medium/slipway/answer.toml"


def test_a_stick_with_its_answer_installs_a_node(
    built_iso: Path, accelerator: Accelerator, key: Key, folder: Path
) -> None:
    home = folder / "disks"
    home.mkdir()
    file, stick = home / "answer.toml", home / "prepared.iso"
    file.write_text(as_toml(answer(LAYOUT, key.public)))
    prepare(built_iso, Wanted(file), stick)
    spec = node_spec("prepared", "uefi", LAYOUT)
    live = replace(spec, media=(Medium(stick, "usb"),), stop_at_reboot=True)
    with Machine(live, home, folder / "install", accelerator) as machine:
        seconds = follow(machine.serial, INSTALLER_MILESTONES, INSTALLER_FAILED)
        machine.wait_for_reset(REBOOT_LIMIT)
        console = "\n".join(line.text for line in machine.serial.lines)
    assert FOUND in console
    assert PASSWORD not in console
    stick.unlink()
    node = InstalledNode(spec, home, key, accelerator, seconds)
    with node.boot(folder / "boot") as machine:
        wait_until_ready(machine)
        node.ssh.wait_until_up(LOGIN_LIMIT)
        assert node.ssh.output("hostname", "-f") == FQDN
