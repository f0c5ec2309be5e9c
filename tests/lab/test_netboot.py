"""Blank machines on a network of their own: they start from it, are installed, and come back ready.

Machines have 2 GiB of memory and no medium; the network card comes first in the firmware's order,
so that the server is asked at every start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.lab.answers import Answer, answer
from tests.lab.arguments import Accelerator
from tests.lab.install import (
    INSTALLER_FAILED,
    INSTALLER_MILESTONES,
    LOGIN_LIMIT,
    REBOOT_LIMIT,
    SSH_PORT,
    follow,
    wait_until_ready,
)
from tests.lab.layouts import LAYOUTS, Layout
from tests.lab.machine import Machine
from tests.lab.netboot import HTTPS, NetbootServer, netboot_server, site
from tests.lab.segment import HOST, dhcp_server, segment
from tests.lab.spec import Disk, FirmwareName, MachineSpec, Nic, TapNetwork
from tests.lab.ssh import Key, Ssh
from tests.serve.browser import Browser, browsing

pytestmark = pytest.mark.lab

ADDRESS = "192.0.2.77"
MAC, IDLE_MAC = "52:54:00:00:00:01", "52:54:00:00:00:02"
SERIAL = "LAB-0001"
FAILED = rf"{INSTALLER_FAILED}|slipway-netboot: failed: .*"
# Seconds: for the server to hear what the machine's console said already.
NEWS_LIMIT = 60
# How many of the installer's milestones are over when the image is about to be unpacked.
DISKS_READY = 3
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


@dataclass(frozen=True)
class Rack:
    """One machine, switched on, and the server that it asks. browser: logged in at its page."""

    machine: Machine
    server: NetbootServer
    browser: Browser
    ssh: Ssh

    def install(self) -> None:
        """Wait until the machine is installed, restarts, asks again, and is ready."""
        serial = self.machine.serial
        follow(serial, INSTALLER_MILESTONES[:DISKS_READY], FAILED)
        self.browser.wait_for_state(MAC, "installing", NEWS_LIMIT)
        self.browser.screenshot("installing")
        follow(serial, INSTALLER_MILESTONES[DISKS_READY:], FAILED)
        self.machine.wait_for_reset(REBOOT_LIMIT)
        installed = self.server.wait_for("installed", NEWS_LIMIT)
        assert installed["boot"] == "disk" and installed["percent"] < 100
        wait_until_ready(self.machine)
        ready = self.server.wait_for("ready", NEWS_LIMIT)
        stages = [stage["state"] for stage in ready["stages"]]
        assert stages == ["approved", "installing", "installed"]
        assert (ready["percent"], ready["attempt"], ready["serial"]) == (100, 1, SERIAL)
        self.browser.wait_for_state(MAC, "ready", NEWS_LIMIT)
        self.browser.screenshot("ready")
        self.ssh.wait_until_up(LOGIN_LIMIT)


def node_answer(layout: Layout, key: Key) -> Answer:
    """Its network card is chosen by its address: there may be others."""
    network = {
        "source": "from-answer",
        "cidr": f"{ADDRESS}/24",
        "gateway": HOST,
        "dns": HOST,
        "filter": {"ID_NET_NAME_MAC": f"*{MAC.replace(':', '')}"},
    }
    content = answer(layout, key.public)
    # Of the usual password the server would take a part for a template.
    content["global"]["root-password"] = "correct horse"
    return content | {"network": network}


@contextmanager
def rack(
    firmware: FirmwareName,
    dhcp: Literal["proxy", "full"],
    content: Answer,
    key: Key,
    accelerator: Accelerator,
    folder: Path,
) -> Iterator[Rack]:
    """A machine whose first network card leads nowhere and whose second starts it."""
    disks = tuple(content["disk-setup"]["disk-list"])
    spec = MachineSpec(
        "netboot",
        firmware,
        disks=tuple(Disk(name, serial=f"LAB-{name}") for name in disks),
        nics=(Nic(IDLE_MAC, TapNetwork("tap1")), Nic(MAC, TapNetwork("tap0"), boot=True)),
        extra=("-smbios", f"type=1,serial={SERIAL}"),
    )
    with segment(["tap0"], idle=["tap1"]), _addresses(dhcp, folder):
        with (
            netboot_server(folder / "server", site(content, MAC, dhcp)) as server,
            browsing(HTTPS, folder / "page") as browser,
            Machine(spec, folder / "disks", folder / "logs", accelerator) as machine,
        ):
            browser.log_in()
            yield Rack(machine, server, browser, Ssh(SSH_PORT, key, ADDRESS))


@contextmanager
def _addresses(dhcp: Literal["proxy", "full"], folder: Path) -> Iterator[None]:
    if dhcp == "full":
        yield
        return
    with dhcp_server(folder / "dhcp"):
        yield


def test_a_failure_is_on_the_servers_page(accelerator: Accelerator, key: Key, folder: Path) -> None:
    """The short way through all of it: Secure Boot, GRUB, initrd, installer, answer, events."""
    content = node_answer(LAYOUTS["lvm-ext4"], key)
    missing = content | {"disk-setup": content["disk-setup"] | {"disk-list": ["vdz"]}}
    with rack("uefi-sb", "full", missing, key, accelerator, folder) as one:
        follow(one.machine.serial, INSTALLER_MILESTONES[:1], FAILED)
        failed = one.server.wait_for("failed", NEWS_LIMIT + INSTALLER_MILESTONES[1].limit)
        assert "vdz" in failed["reason"]
        assert failed["boot"] == "hold"
        assert "vdz" in one.server.wait_for_log(NEWS_LIMIT)
        one.browser.wait_for(MAC, str(failed["reason"]), NEWS_LIMIT)
        one.browser.wait_for(MAC, "Log", NEWS_LIMIT)
        one.browser.screenshot("failed")
        text = "\n".join(line.text for line in one.machine.serial.lines)
        assert "UEFI Secure Boot is enabled" in text


@pytest.mark.matrix
def test_secure_boot_beside_another_dhcp_server(
    accelerator: Accelerator, key: Key, folder: Path
) -> None:
    content = node_answer(LAYOUTS["lvm-ext4"], key)
    with rack("uefi-sb", "proxy", content, key, accelerator, folder) as one:
        one.install()
        assert one.ssh.output("od", "-An", "-tu1", SECURE_BOOT).split()[-1] == "1"
        assert one.ssh.run(["test", "-e", "/var/lib/slipway/secrets"], check=False).status == 1


@pytest.mark.matrix
def test_bios_and_zfs(accelerator: Accelerator, key: Key, folder: Path) -> None:
    """The layer for ZFS is fetched too."""
    content = node_answer(LAYOUTS["zfs-raid1"], key)
    with rack("bios", "full", content, key, accelerator, folder) as one:
        one.install()
        assert one.ssh.output("zpool", "list", "-H", "-o", "health") == "ONLINE"
        assert one.ssh.run(["test", "-d", "/sys/firmware/efi"], check=False).status == 1
