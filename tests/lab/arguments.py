"""QEMU's command line for a machine: a pure function of what the machine is made of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab.spec import (
    Disk,
    FirmwareName,
    MachineSpec,
    Medium,
    Nic,
    Paths,
    TapNetwork,
    UserNetwork,
)

OVMF = Path("/usr/share/OVMF")


@dataclass(frozen=True)
class FirmwareFiles:
    """An OVMF build and the variables that a new machine starts with."""

    code: Path
    variables: Path


FIRMWARE: dict[FirmwareName, FirmwareFiles] = {
    "uefi": FirmwareFiles(OVMF / "OVMF_CODE_4M.fd", OVMF / "OVMF_VARS_4M.fd"),
    # With the keys that sign Debian's shim enrolled.
    "uefi-sb": FirmwareFiles(OVMF / "OVMF_CODE_4M.secboot.fd", OVMF / "OVMF_VARS_4M.ms.fd"),
}


@dataclass(frozen=True)
class Accelerator:
    """How QEMU runs the guest's instructions, and on which model of a processor."""

    name: str
    arguments: tuple[str, ...]


KVM = Accelerator("kvm", ("-accel", "kvm", "-cpu", "host"))
# Linux clears and copies memory with "rep stosb" and "rep movsb" where the processor offers
# ERMS and FSRM; emulation executes those byte by byte, and boots twice as long.
TCG = Accelerator("tcg", ("-accel", "tcg,thread=multi", "-cpu", "max,-erms,-fsrm"))


def qemu_arguments(spec: MachineSpec, paths: Paths, accelerator: Accelerator) -> list[str]:
    """The whole command line. The machine starts paused, until QMP's `cont`."""
    secure = spec.firmware == "uefi-sb"
    return [
        "qemu-system-x86_64",
        *("-name", spec.name),
        "-nodefaults",
        "-S",
        *("-machine", "q35,smm=on" if secure else "q35"),
        *accelerator.arguments,
        *("-smp", str(spec.cpus)),
        *("-m", str(spec.memory_mib)),
        *("-display", "none"),
        *("-device", "VGA"),
        *("-action", f"reboot={'shutdown' if spec.stop_at_reboot else 'reset'}"),
        # Paused, a machine that was powered off can still give its last screenshot.
        *("-action", f"shutdown={'poweroff' if spec.outlive else 'pause'}"),
        *("-qmp", f"unix:{_quoted(paths.monitor)},server=on,wait=off"),
        *("-chardev", _serial(paths)),
        *("-serial", "chardev:serial"),
        *_firmware(spec, paths),
        *_controllers(spec),
        *(
            word
            for number, disk in enumerate(spec.disks)
            for word in _disk(number, disk, paths, spec)
        ),
        *(word for number, medium in enumerate(spec.media) for word in _medium(number, medium)),
        *(word for number, nic in enumerate(spec.nics) for word in _nic(number, nic, paths, spec)),
        *_kernel(spec),
        *(("-incoming", f"file:{spec.incoming}") if spec.incoming else ()),
        *spec.extra,
    ]


def _quoted(path: Path) -> str:
    """QEMU's option lists end a value at a comma, unless it is doubled."""
    return os.fspath(path).replace(",", ",,")


def _serial(paths: Paths) -> str:
    log = f"logfile={_quoted(paths.serial_log)},logappend=off"
    return f"socket,id=serial,path={_quoted(paths.serial)},server=on,wait=off,{log}"


def _firmware(spec: MachineSpec, paths: Paths) -> Iterator[str]:
    files = FIRMWARE.get(spec.firmware)
    if files is None:
        return
    if spec.firmware == "uefi-sb":
        yield from ("-global", "driver=cfi.pflash01,property=secure,value=on")
    yield from ("-drive", f"if=pflash,format=raw,readonly=on,file={_quoted(files.code)}")
    variables = _quoted(paths.firmware_variables)
    yield from ("-drive", f"if=pflash,format=qcow2,cache=unsafe,file={variables}")


def _controllers(spec: MachineSpec) -> Iterator[str]:
    yield from ("-device", "qemu-xhci,id=usb")
    if any(disk.bus == "scsi" for disk in spec.disks):
        yield from ("-device", "virtio-scsi-pci,id=scsi")


def _disk(number: int, disk: Disk, paths: Paths, spec: MachineSpec) -> Iterator[str]:
    """Tests need no disk that survives a crash of the host: no write is ever flushed."""
    yield "-drive"
    yield (
        f"if=none,id={disk.name},format={disk.format},cache=unsafe,discard=unmap"
        f",detect-zeroes=unmap,file={_quoted(paths.disk(disk))}"
    )
    device = {
        "virtio": "virtio-blk-pci",
        "scsi": "scsi-hd,bus=scsi.0",
        "nvme": "nvme",
        "ata": "ide-hd",
    }[disk.bus]
    sectors = f",logical_block_size={disk.sector},physical_block_size={disk.sector}"
    # As soon as anything has a place in the order of booting, OVMF forgets all that has none.
    boot = f",bootindex={len(spec.nics) + number}" if any(nic.boot for nic in spec.nics) else ""
    yield "-device"
    yield (
        f"{device},drive={disk.name},serial={disk.serial or disk.name}"
        f"{sectors if disk.sector != 512 else ''}{boot}"
    )


def _medium(number: int, medium: Medium) -> Iterator[str]:
    name = f"medium{number}"
    image = f"format=raw,readonly=on,file={_quoted(medium.image)}"
    device = {"cdrom": "ide-cd", "usb": "usb-storage,bus=usb.0"}[medium.kind]
    yield from ("-drive", f"if=none,id={name},{image}")
    boot = f",bootindex={number}" if medium.boot else ""
    yield from ("-device", f"{device},id={name},drive={name}{boot}")


def _nic(number: int, nic: Nic, paths: Paths, spec: MachineSpec) -> Iterator[str]:
    name = f"net{number}"
    if isinstance(nic.network, UserNetwork) and nic.network.wire:
        yield from ("-netdev", _user_network(f"{name}-user", nic.network))
        yield from ("-netdev", _wire(f"{name}-wire", *paths.wire(name)))
        for end in ("user", "wire"):
            hub_port = f"hubport,hubid={number},id={name}-{end}-port,netdev={name}-{end}"
            yield from ("-netdev", hub_port)
        yield from ("-netdev", f"hubport,hubid={number},id={name}")
    elif isinstance(nic.network, UserNetwork):
        yield from ("-netdev", _user_network(name, nic.network))
    elif isinstance(nic.network, TapNetwork):
        yield from ("-netdev", f"tap,id={name},ifname={nic.network.tap},script=no,downscript=no")
    else:
        segment = f"mcast=230.0.0.1:{nic.network.port},localaddr=127.0.0.1"
        yield from ("-netdev", f"socket,id={name},{segment}")
    # QEMU's iPXE is what a BIOS starts from the network with. UEFI has its own, and cannot start a
    # signed boot loader through iPXE; it would cost time at each boot.
    rom = "" if nic.boot and spec.firmware == "bios" else ",romfile="
    boot = f",bootindex={number}" if nic.boot else ""
    yield from ("-device", f"virtio-net-pci,netdev={name},mac={nic.mac}{rom}{boot}")


def _user_network(name: str, network: UserNetwork) -> str:
    forwards = (
        f",hostfwd=tcp:127.0.0.1:{forward.host}-{forward.address}:{forward.guest}"
        for forward in network.forwards
    )
    dhcp_start = f",dhcpstart={network.dhcp_start}" if network.dhcp_start else ""
    return f"user,id={name}{'' if network.ipv4 else ',ipv4=off'}{dhcp_start}{''.join(forwards)}"


def _wire(name: str, test: Path, machine: Path) -> str:
    local = f"local.type=unix,local.path={_quoted(machine)}"
    remote = f"remote.type=unix,remote.path={_quoted(test)}"
    return f"dgram,id={name},{local},{remote}"


def _kernel(spec: MachineSpec) -> Iterator[str]:
    if spec.kernel is None:
        return
    yield from ("-kernel", os.fspath(spec.kernel.image))
    yield from ("-append", spec.kernel.command_line)
    if spec.kernel.initrd:
        yield from ("-initrd", os.fspath(spec.kernel.initrd))
