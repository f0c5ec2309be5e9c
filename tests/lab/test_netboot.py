"""Blank machines on a network of their own: they start from it, are installed, and come back ready.

Machines have 2 GiB of memory and no medium; the network card comes first in the firmware's order,
so that the server is asked at every start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.lab.answers import Answer, answer
from tests.lab.arguments import Accelerator
from tests.lab.install import (
    AGENT_FAILED,
    AGENT_MILESTONES,
    INSTALLER_FAILED,
    INSTALLER_MILESTONES,
    LOGIN_LIMIT,
    REBOOT_LIMIT,
    SSH_PORT,
    follow,
)
from tests.lab.iso import OUT
from tests.lab.layouts import LAYOUTS, Layout
from tests.lab.machine import Machine
from tests.lab.memory import MemoryWatch, balloon, monitor_socket
from tests.lab.netboot import HTTPS, NetbootServer, netboot_server, site
from tests.lab.segment import HOST, bytes_to, dhcp_server, segment
from tests.lab.spec import Disk, FirmwareName, Kernel, MachineSpec, Nic, TapNetwork
from tests.lab.ssh import Key, Ssh
from tests.serve.browser import Browser, browsing

pytestmark = pytest.mark.lab

ADDRESS = "192.0.2.77"
MAC, IDLE_MAC = "52:54:00:00:00:01", "52:54:00:00:00:02"
SERIAL = "LAB-0001"
FAILED = rf"{INSTALLER_FAILED}|slipway-netboot: failed: .*"
# Server, browser and machine share the processors: the machine has one, and more time.
PATIENCE = 4
# Seconds: for the server to hear what the machine's console said already.
NEWS_LIMIT = 60 * PATIENCE
RESTART_LIMIT = REBOOT_LIMIT * PATIENCE
# How many of the installer's milestones are over when the image is about to be unpacked.
DISKS_READY = 3
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


NETBOOT = OUT / "netboot"
KERNEL = ("live/vmlinuz", "live/initrd.img")
IMAGES = ("live/10-node.squashfs", "live/20-installer.squashfs")
# What each machine fetches until it is installed: the kernel by its boot loader, and once more by
# the installer, for the node.
EVERYTHING = (*KERNEL, *IMAGES, *KERNEL, "layers/debian-template.squashfs")
# Headers of frames, packets and segments, acknowledgements, answers, and what is sent twice.
OVERHEAD = 1.1
# No machine may come closer to the end of its memory than this.
SPARE_MIB = 100
# OVMF, told to start by HTTP instead of PXE.
HTTP_BOOT = tuple(
    word
    for version in (4, 6)
    for word in ("-fw_cfg", f"name=opt/org.tianocore/IPv{version}PXESupport,string=n")
)
IPXE = Path("/usr/lib/ipxe/ipxe.lkrn")


@dataclass(frozen=True)
class Rack:
    """One machine, switched on, and the server that it asks. browser: logged in at its page."""

    machine: Machine
    server: NetbootServer
    browser: Browser
    ssh: Ssh
    memory: MemoryWatch

    def install(self, files: tuple[str, ...], attempt: int = 1) -> None:
        """Wait until the machine is installed, restarts, asks again, and is ready.

        files: what it fetches until it is installed.
        """
        serial = self.machine.serial
        follow(serial, INSTALLER_MILESTONES[:DISKS_READY], FAILED, PATIENCE)
        self.browser.wait_for_state(MAC, "installing", NEWS_LIMIT)
        self.browser.screenshot("installing")
        follow(serial, INSTALLER_MILESTONES[DISKS_READY:], FAILED, PATIENCE)
        self.machine.wait_for_reset(RESTART_LIMIT)
        if attempt == 1:
            self._measure(files)
        installed = self.server.wait_for("installed", NEWS_LIMIT)
        assert installed["boot"] == "disk" and installed["percent"] < 100
        self.wait_until_ready(attempt)
        self.browser.screenshot("ready")

    def wait_until_ready(self, attempt: int) -> None:
        """Wait until the node, the server and its page all say so."""
        follow(self.machine.serial, AGENT_MILESTONES, AGENT_FAILED, PATIENCE)
        ready = self.server.wait_for("ready", NEWS_LIMIT)
        stages = [stage["state"] for stage in ready["stages"]]
        assert stages == ["approved", "installing", "installed"]
        assert (ready["percent"], ready["attempt"], ready["serial"]) == (100, attempt, SERIAL)
        self.browser.wait_for_state(MAC, "ready", NEWS_LIMIT)
        self.ssh.wait_until_up(LOGIN_LIMIT * PATIENCE)

    def reboot(self) -> None:
        """Let the node restart. The login may end before the command answers."""
        self.ssh.run(["systemctl", "--no-block", "reboot"], check=False)
        self.machine.wait_for_reset(RESTART_LIMIT)

    def identity(self) -> str:
        """What each installation makes anew."""
        return self.ssh.output("cat", "/etc/machine-id")

    def _measure(self, files: tuple[str, ...]) -> None:
        """What it fetched so far, against these files' sizes, and the memory that it had left."""
        figures = {
            "files_bytes": sum((NETBOOT / name).stat().st_size for name in files),
            "wire_bytes": bytes_to("tap0"),
            "lowest_available_mib": self.memory.lowest_mib(),
        }
        (self.machine.paths.logs / "figures.json").write_text(json.dumps(figures) + "\n")
        assert 1 < figures["wire_bytes"] / figures["files_bytes"] < OVERHEAD, figures
        assert figures["lowest_available_mib"] >= SPARE_MIB, figures


def sent_by_tftp(server: NetbootServer) -> list[str]:
    """What dnsmasq says of the files that it sent."""
    lines = server.log.read_text().splitlines()
    return [line for line in lines if re.search(r"dnsmasq-tftp\[\d+\]: sent ", line)]


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
    *,
    kernel: Kernel | None = None,
    extra: tuple[str, ...] = (),
) -> Iterator[Rack]:
    """A machine whose first network card leads nowhere and whose second starts it, unless it is
    started by a kernel.
    """
    disks = tuple(content["disk-setup"]["disk-list"])
    with ExitStack() as stack:
        monitor = stack.enter_context(monitor_socket())
        spec = MachineSpec(
            "netboot",
            firmware,
            cpus=1,
            disks=tuple(Disk(name, serial=f"LAB-{name}") for name in disks),
            nics=(
                Nic(IDLE_MAC, TapNetwork("tap1")),
                Nic(MAC, TapNetwork("tap0"), boot=kernel is None),
            ),
            kernel=kernel,
            extra=("-smbios", f"type=1,serial={SERIAL}", *balloon(monitor), *extra),
        )
        stack.enter_context(segment(["tap0"], idle=["tap1"]))
        if dhcp == "proxy":
            stack.enter_context(dhcp_server(folder / "dhcp"))
        text = site(content, MAC, dhcp)
        server = stack.enter_context(netboot_server(folder / "server", text))
        browser = stack.enter_context(browsing(HTTPS, folder / "page"))
        machine = stack.enter_context(Machine(spec, folder / "disks", folder / "logs", accelerator))
        memory = MemoryWatch(monitor)
        stack.callback(memory.stop)
        browser.log_in()
        yield Rack(machine, server, browser, Ssh(SSH_PORT, key, ADDRESS), memory)


def test_a_failure_is_on_the_servers_page(accelerator: Accelerator, key: Key, folder: Path) -> None:
    """The short way through all of it: Secure Boot, GRUB, initrd, installer, answer, events."""
    content = node_answer(LAYOUTS["lvm-ext4"], key)
    missing = content | {"disk-setup": content["disk-setup"] | {"disk-list": ["vdz"]}}
    with rack("uefi-sb", "full", missing, key, accelerator, folder) as one:
        follow(one.machine.serial, INSTALLER_MILESTONES[:1], FAILED, PATIENCE)
        failed = one.server.wait_for(
            "failed", NEWS_LIMIT + INSTALLER_MILESTONES[1].limit * PATIENCE
        )
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
    """Installed, it starts from its disk, until a person presses "Install again"."""
    content = node_answer(LAYOUTS["lvm-ext4"], key) | {"wipe": "selected"}
    files = ("shimx64.efi", "grubx64.efi", *EVERYTHING)
    with rack("uefi-sb", "proxy", content, key, accelerator, folder) as one:
        one.install(files)
        assert one.ssh.output("od", "-An", "-tu1", SECURE_BOOT).split()[-1] == "1"
        assert one.ssh.run(["test", "-e", "/var/lib/slipway/secrets"], check=False).status == 1
        first = one.identity()
        one.reboot()
        one.machine.serial.wait_for("Slipway: starting from disk", RESTART_LIMIT, "GRUB's decision")
        one.wait_until_ready(attempt=1)
        assert one.identity() == first
        one.browser.press("retry", MAC)
        one.browser.confirm()
        one.browser.wait_for_state(MAC, "approved", NEWS_LIMIT)
        one.reboot()
        one.install(files, attempt=2)
        assert one.identity() != first


@pytest.mark.matrix
def test_bios_and_zfs(accelerator: Accelerator, key: Key, folder: Path) -> None:
    """The layer for ZFS is fetched too. QEMU's card brings iPXE."""
    content = node_answer(LAYOUTS["zfs-raid1"], key)
    with rack("bios", "full", content, key, accelerator, folder) as one:
        one.install((*EVERYTHING, "layers/zfs.squashfs"))
        assert one.ssh.output("zpool", "list", "-H", "-o", "health") == "ONLINE"
        assert one.ssh.run(["test", "-d", "/sys/firmware/efi"], check=False).status == 1


@pytest.mark.matrix
def test_bios_takes_ipxe_by_tftp(accelerator: Accelerator, key: Key, folder: Path) -> None:
    """undionly.kpxe runs on the PXE of a card. QEMU has no card whose PXE is not iPXE's, so iPXE
    is this too, started by itself and told to fetch the file instead of going on.
    """
    script = folder / "script.ipxe"
    script.write_text(f"#!ipxe\ndhcp net1\nchain tftp://{HOST}/undionly.kpxe\n")
    content = node_answer(LAYOUTS["lvm-ext4"], key)
    start = Kernel(IPXE, "", script)
    with rack("bios", "full", content, key, accelerator, folder, kernel=start) as one:
        follow(one.machine.serial, INSTALLER_MILESTONES[:1], FAILED, PATIENCE)
        assert any("/undionly.kpxe to" in line for line in sent_by_tftp(one.server))


@pytest.mark.matrix
@pytest.mark.parametrize("dhcp", ["proxy", "full"])
def test_uefi_starts_by_http(
    accelerator: Accelerator, key: Key, folder: Path, dhcp: Literal["proxy", "full"]
) -> None:
    content = node_answer(LAYOUTS["lvm-ext4"], key)
    with rack("uefi-sb", dhcp, content, key, accelerator, folder, extra=HTTP_BOOT) as one:
        follow(one.machine.serial, INSTALLER_MILESTONES[:1], FAILED, PATIENCE)
        assert not sent_by_tftp(one.server)
