"""Look at this machine. Only reads; what needs root is left out or read from udev without it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from agent.core.command import run
from agent.core.errors import CommandFailed, ToolMissing
from installer.inventory.disks import LSBLK_COLUMNS, Node, disk_nodes, make_disk, partition_paths
from installer.inventory.machine import (
    parse_consoles,
    parse_cpu,
    parse_memory_mib,
    read_dmi,
    read_firmware,
)
from installer.inventory.model import Disk, Inventory, Lease, VolumeGroup
from installer.inventory.network import parse_leases, read_interfaces
from installer.inventory.signatures import (
    WIPEFS_COLUMNS,
    contents_from_udev,
    parse_pvs,
    parse_wipefs,
)
from installer.inventory.udev import Device, parse_database

SYS = Path("/sys")
PROC = Path("/proc")


def probe() -> Inventory:
    """The inventory of this machine.

    Raises CommandFailed or ToolMissing when udev or lsblk cannot be asked.
    """
    devices = parse_database(run(["udevadm", "info", "--export-db"]).stdout)
    cpu_model, cpu_threads, cpu_virtualization = parse_cpu((PROC / "cpuinfo").read_text())
    return Inventory(
        firmware=read_firmware(SYS),
        memory_mib=parse_memory_mib((PROC / "meminfo").read_text()),
        cpu_model=cpu_model,
        cpu_threads=cpu_threads,
        cpu_virtualization=cpu_virtualization,
        dmi=read_dmi(SYS),
        consoles=parse_consoles((PROC / "cmdline").read_text()),
        disks=_probe_disks({device.properties.get("DEVNAME", ""): device for device in devices}),
        volume_groups=_probe_volume_groups(),
        interfaces=read_interfaces(devices, SYS),
        leases=_probe_leases(),
    )


def _probe_disks(devices: Mapping[str, Device]) -> tuple[Disk, ...]:
    lsblk = run(["lsblk", "--json", "--bytes", "--tree", "--output", LSBLK_COLUMNS]).stdout
    return tuple(_probe_disk(node, devices) for node in disk_nodes(lsblk))


def _probe_disk(node: Node, devices: Mapping[str, Device]) -> Disk:
    paths = (node["path"], *partition_paths(node))
    if os.geteuid() != 0:
        known = ((path, devices.get(path, Device("")).properties) for path in paths)
        contents = tuple(chain.from_iterable(contents_from_udev(*item) for item in known))
        return make_disk(node, devices, contents)
    command = ["wipefs", "--json", "--no-act", "--output", WIPEFS_COLUMNS, *paths]
    try:
        return make_disk(node, devices, parse_wipefs(paths, run(command).stdout))
    except CommandFailed as error:
        return make_disk(node, devices, (), unreadable=f"cannot be read: {error.output}")


def _probe_volume_groups() -> tuple[VolumeGroup, ...]:
    if os.geteuid() != 0:
        return ()
    try:
        report = run(["pvs", "--reportformat", "json", "--options", "pv_name,vg_name,vg_uuid"])
    except ToolMissing:
        return ()
    return parse_pvs(report.stdout)


def _probe_leases() -> tuple[Lease, ...]:
    try:
        # Its status is not 0 when NetworkManager does not run.
        shown = run(["nmcli", "--terse", "--fields", "all", "device", "show"], check=False)
    except ToolMissing:
        return ()
    return parse_leases(shown.stdout) if shown.status == 0 else ()
