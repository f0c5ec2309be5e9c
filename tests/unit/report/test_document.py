"""The document of a new node, field by field."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from agent import __version__
from installer.answers.schema import Answer
from installer.execute.files import NodeIdentity, read_identity, write_identity
from installer.inventory.model import Firmware, Inventory
from installer.plan.planner import make_plan
from installer.report.document import System, cpu_info, filesystem, node_document, read_system
from tests.unit.answers.files import MINIMAL, load
from tests.unit.network.machines import STATIC, nic
from tests.unit.storage.machines import disk, setup

KERNEL = os.uname_result(
    ("Linux", "live", "6.12.57+deb13-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.12.57-1", "x86_64")
)
CPU = """\
processor\t: {number}
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) CPU: E5
physical id\t: {socket}
core id\t\t: {core}
flags\t\t: fpu vmx sse2
power management:
"""
IDENTITY = NodeIdentity("0123456789abcdef0123456789abcdef", {"ed25519": "ssh-ed25519 AAAA root@x"})


def cpuinfo(*places: tuple[int, int]) -> str:
    """The text for logical CPUs at these (socket, core)."""
    return "\n".join(
        CPU.format(number=number, socket=socket, core=core)
        for number, (socket, core) in enumerate(places)
    )


def two_disks_two_nics() -> Inventory:
    return Inventory(
        firmware=Firmware(mode="uefi", secure_boot=True),
        memory_mib=4096,
        cpu_virtualization=True,
        dmi={"product_serial": "S1", "board_name": "B"},
        disks=(disk("sda", 32), disk("sdb", 64)),
        interfaces=(nic(1), nic(2)),
    )


def document(answer: Answer, inventory: Inventory) -> dict[str, Any]:
    system = System("13.2", KERNEL, cpuinfo((0, 0), (0, 0)))
    made = node_document(answer, inventory, make_plan(answer, inventory), IDENTITY, system)
    data: dict[str, Any] = json.loads(json.dumps(made))
    return data


def test_the_whole_document() -> None:
    pinning = {"enabled": True, "mapping": {"52:54:00:00:00:01": "lan0"}}
    network = {
        **STATIC,
        "filter": {"ID_NET_NAME_MAC": "*1"},
        "interface-name-pinning": pinning,
    }
    inventory = two_disks_two_nics()
    assert document(load(MINIMAL | {"network": network}).answer, inventory) == {
        "$schema": {"version": "1.2"},
        "debian-version": "13.2",
        "product": {"fullname": "Slipway", "short": "slipway", "version": __version__},
        "iso": {"release": __version__, "isorelease": "1"},
        "kernel-version": {
            "sysname": "Linux",
            "release": "6.12.57+deb13-amd64",
            "version": "#1 SMP PREEMPT_DYNAMIC Debian 6.12.57-1",
            "machine": "x86_64",
        },
        "boot-info": {"mode": "efi", "secureboot": True},
        "cpu-info": {
            "sockets": 1,
            "cores": 1,
            "cpus": 2,
            "model": "Intel(R) Xeon(R) CPU: E5",
            "flags": "fpu vmx sse2",
            "hvm": True,
        },
        "dmi": {"system": {"serial": "S1"}, "baseboard": {"name": "B"}, "chassis": {}},
        "filesystem": "ext4",
        "fqdn": "node1.example.com",
        "machine-id": IDENTITY.machine_id,
        "disks": [
            {
                "size": 32 * 2**30,
                "is-bootdisk": True,
                "udev-properties": inventory.disks[0].udev,
            },
            {"size": 64 * 2**30, "udev-properties": inventory.disks[1].udev},
        ],
        "network-interfaces": [
            {
                "name": "lan0",
                "mac": "52:54:00:00:00:01",
                "address": "192.0.2.10/24",
                "is-management": True,
                "is-pinned": True,
                "udev-properties": inventory.interfaces[0].udev,
            },
            {
                "name": "nic1",
                "mac": "52:54:00:00:00:02",
                "is-pinned": True,
                "udev-properties": inventory.interfaces[1].udev,
            },
        ],
        "ssh-public-host-keys": {"ecdsa": "", "ed25519": "ssh-ed25519 AAAA root@x", "rsa": ""},
        "reboot-mode": "reboot",
    }


def test_bios_and_a_bond() -> None:
    bond = {"name": "bond0", "mode": "active-backup", "interfaces": ["eno1", "eno2"]}
    network = {**STATIC, "interface": "bond0", "bonds": [bond]}
    inventory = two_disks_two_nics().model_copy(update={"firmware": Firmware(mode="bios")})
    made = document(load(MINIMAL | {"network": network}).answer, inventory)
    assert made["boot-info"] == {"mode": "bios"}
    assert [nic["is-management"] for nic in made["network-interfaces"]] == [True, True]
    assert "is-pinned" not in made["network-interfaces"][0]


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("xfs", {"lvm": {"raid": "raid1"}}, "xfs"),
        ("zfs", {"zfs": {"raid": "raidz-1"}}, "zfs (RAIDZ-1)"),
        ("btrfs", {"btrfs": {"raid": "RAID1"}}, "btrfs (RAID1)"),
    ],
)
def test_file_systems(name: str, options: dict[str, Any], text: str) -> None:
    table = setup(filesystem=name, disk_list=["sda", "sdb", "sdc"], **options)
    assert filesystem(table) == text


@pytest.mark.parametrize(
    ("text", "sockets", "cores", "cpus"),
    [
        (cpuinfo((0, 0), (0, 0), (0, 1), (0, 1)), 1, 2, 4),
        # Both sockets have cores 0 and 1.
        (cpuinfo((0, 0), (0, 1), (1, 0), (1, 1)), 2, 4, 4),
        # Some hypervisors tell nothing of sockets and cores.
        ("processor\t: 0\nmodel name\t: x\n\nprocessor\t: 1\nmodel name\t: x\n", 1, 2, 2),
        ("", 0, 0, 0),
    ],
)
def test_cpus_are_counted(text: str, sockets: int, cores: int, cpus: int) -> None:
    made = cpu_info(text)
    assert (made["sockets"], made["cores"], made["cpus"]) == (sockets, cores, cpus)


def test_this_machine_can_be_asked() -> None:
    system = read_system()
    assert system.kernel.sysname == "Linux"
    assert cpu_info(system.cpuinfo)["cpus"] == os.cpu_count()


def test_identity_of_a_tree(tmp_path: Path) -> None:
    for folder in ("etc/ssh", "var/lib/dbus"):
        (tmp_path / folder).mkdir(parents=True)
    write_identity(tmp_path)
    found = read_identity(tmp_path)
    assert len(found.machine_id) == 32
    assert set(found.ssh_host_keys) >= {"ecdsa", "ed25519", "rsa"}
    assert found.ssh_host_keys["ed25519"].startswith("ssh-ed25519 AAAA")


def test_a_tree_without_identity(tmp_path: Path) -> None:
    assert read_identity(tmp_path) == NodeIdentity("", {})
