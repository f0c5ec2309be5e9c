"""What a webhook is told about a node that has just been installed.

The fields are those of the Proxmox installer's post-installation webhook, version 1.2, so that its
receivers understand them; true-or-false fields are there only when they are true.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from agent import __version__
from installer.answers.disks import DiskSetup
from installer.answers.identity import identity
from installer.answers.schema import Answer
from installer.execute.files import NodeIdentity
from installer.inventory.model import Disk, Inventory, NetworkInterface
from installer.plan.model import Plan
from installer.plan.network import plan_network
from installer.plan.network_plan import NetworkPlan

SCHEMA_VERSION = "1.2"
SSH_KEY_TYPES = ("ecdsa", "ed25519", "rsa")

Document = dict[str, object]


@dataclass(frozen=True)
class System:
    """What the running system tells; live system and node have the same kernel and packages.

    cpuinfo: the text of /proc/cpuinfo.
    """

    debian_version: str
    kernel: os.uname_result
    cpuinfo: str


def read_system() -> System:
    """Ask the running system. Raises OSError."""
    return System(
        Path("/etc/debian_version").read_text().strip(),
        os.uname(),
        Path("/proc/cpuinfo").read_text(),
    )


def node_document(
    answer: Answer, inventory: Inventory, plan: Plan, node: NodeIdentity, system: System
) -> Document:
    """The document for this node, without a token. Sizes are in bytes."""
    machine = identity(inventory)
    network = plan_network(answer.network, answer.global_.fqdn, inventory)
    system_disks = {disk.path for disk in plan.disks if disk.use == "system"}
    return {
        "$schema": {"version": SCHEMA_VERSION},
        "debian-version": system.debian_version,
        "product": {"fullname": "Slipway", "short": "slipway", "version": __version__},
        "iso": machine["iso"],
        "kernel-version": {
            name: getattr(system.kernel, name)
            for name in ("sysname", "release", "version", "machine")
        },
        "boot-info": {
            "mode": "efi" if inventory.firmware.mode == "uefi" else "bios",
            **_true(secureboot=bool(inventory.firmware.secure_boot)),
        },
        "cpu-info": cpu_info(system.cpuinfo) | {"hvm": inventory.cpu_virtualization},
        "dmi": machine["dmi"],
        "filesystem": filesystem(answer.disk_setup),
        "fqdn": plan.fqdn,
        "machine-id": node.machine_id,
        "disks": [_disk(disk, system_disks) for disk in inventory.disks],
        "network-interfaces": [_interface(nic, network) for nic in inventory.interfaces],
        "ssh-public-host-keys": {name: node.ssh_host_keys.get(name, "") for name in SSH_KEY_TYPES},
        "reboot-mode": plan.reboot,
    }


def cpu_info(cpuinfo: str) -> Document:
    """Sockets, cores, threads ("cpus"), model and flags in the text of /proc/cpuinfo."""
    cpus = [
        dict(re.findall(r"^(.+?)\s*: ?(.*)$", block, re.MULTILINE))
        for block in cpuinfo.split("\n\n")
        if re.search(r"^processor\s*:", block, re.MULTILINE)
    ]
    first = cpus[0] if cpus else {}
    # Each socket numbers its cores anew. Some hypervisors tell of neither.
    sockets = {cpu.get("physical id", "") for cpu in cpus}
    cores = {(cpu.get("physical id", ""), cpu.get("core id", cpu["processor"])) for cpu in cpus}
    return {
        "sockets": len(sockets),
        "cores": len(cores),
        "cpus": len(cpus),
        "model": first.get("model name", ""),
        "flags": first.get("flags", ""),
    }


def filesystem(setup: DiskSetup) -> str:
    """The root file system, with its level of redundancy where it has one: "zfs (RAID1)"."""
    options = setup.zfs if setup.filesystem == "zfs" else setup.btrfs
    return f"{setup.filesystem} ({options.raid.upper()})" if options else setup.filesystem


def _disk(disk: Disk, system_disks: set[str]) -> Document:
    boots = _true(**{"is-bootdisk": disk.path in system_disks})
    return {"size": disk.size_bytes, **boots, "udev-properties": disk.udev}


def _interface(nic: NetworkInterface, network: NetworkPlan) -> Document:
    pinned = {pin.mac: pin.name for pin in network.pins}
    name = pinned.get(nic.mac.lower(), nic.name)
    manages = name in network.management_nics
    return {
        "name": name,
        "mac": nic.mac,
        **({"address": network.addresses[0]} if manages and network.addresses else {}),
        **_true(**{"is-management": manages, "is-pinned": nic.mac.lower() in pinned}),
        "udev-properties": nic.udev,
    }


def _true(**values: bool) -> Document:
    return {name: value for name, value in values.items() if value}
