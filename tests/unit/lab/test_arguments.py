"""QEMU's command line, word by word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.arguments import KVM, TCG, qemu_arguments
from tests.lab.spec import (
    GIB,
    Disk,
    FirmwareName,
    Forward,
    Kernel,
    MachineSpec,
    Medium,
    Nic,
    Paths,
    SocketNetwork,
    TapNetwork,
    UserNetwork,
)

PATHS = Paths(Path("/home"), Path("/logs"), Path("/sockets"))
PLAIN = MachineSpec("node")
BASE = [
    *("qemu-system-x86_64", "-name", "node", "-nodefaults", "-S", "-machine", "q35"),
    *("-accel", "tcg,thread=multi", "-cpu", "max,-erms,-fsrm", "-smp", "2", "-m", "2048"),
    *("-display", "none", "-device", "VGA"),
    *("-action", "reboot=reset", "-action", "shutdown=pause"),
    *("-qmp", "unix:/sockets/monitor,server=on,wait=off"),
    "-chardev",
    "socket,id=serial,path=/sockets/serial,server=on,wait=off,logfile=/logs/serial.log"
    ",logappend=off",
    *("-serial", "chardev:serial"),
]
USB = ["-device", "qemu-xhci,id=usb"]


def added(spec: MachineSpec) -> list[str]:
    """What a spec adds to the words of a plain machine."""
    words = qemu_arguments(spec, PATHS, TCG)
    assert words[: len(BASE)] == BASE
    return words[len(BASE) :]


def test_a_plain_machine() -> None:
    assert qemu_arguments(PLAIN, PATHS, TCG) == BASE + USB


def test_accelerator_processors_and_memory() -> None:
    words = qemu_arguments(replace(PLAIN, cpus=1, memory_mib=512), PATHS, KVM)
    expected = ["-accel", "kvm", "-cpu", "host", "-smp", "1", "-m", "512"]
    assert words[7:15] == expected


def test_uefi() -> None:
    assert added(replace(PLAIN, firmware="uefi")) == [
        "-drive",
        "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
        "-drive",
        "if=pflash,format=qcow2,cache=unsafe,file=/home/firmware-variables.qcow2",
        *USB,
    ]


def test_secure_boot_needs_system_management_mode() -> None:
    words = qemu_arguments(replace(PLAIN, firmware="uefi-sb"), PATHS, TCG)
    assert words[5:7] == ["-machine", "q35,smm=on"]
    assert words[len(BASE) : -len(USB)] == [
        "-global",
        "driver=cfi.pflash01,property=secure,value=on",
        "-drive",
        "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
        "-drive",
        "if=pflash,format=qcow2,cache=unsafe,file=/home/firmware-variables.qcow2",
    ]


def test_disks_on_every_bus() -> None:
    disks = (
        Disk("vda", serial="S1"),
        Disk("sda", GIB, bus="scsi", sector=4096),
        Disk("nvme0n1", bus="nvme", format="raw"),
        Disk("sdb", bus="ata"),
    )
    options = "cache=unsafe,discard=unmap,detect-zeroes=unmap"
    assert added(replace(PLAIN, disks=disks)) == [
        *USB,
        *("-device", "virtio-scsi-pci,id=scsi"),
        *("-drive", f"if=none,id=vda,format=qcow2,{options},file=/home/vda.qcow2"),
        *("-device", "virtio-blk-pci,drive=vda,serial=S1"),
        *("-drive", f"if=none,id=sda,format=qcow2,{options},file=/home/sda.qcow2"),
        "-device",
        "scsi-hd,bus=scsi.0,drive=sda,serial=sda,logical_block_size=4096,physical_block_size=4096",
        *("-drive", f"if=none,id=nvme0n1,format=raw,{options},file=/home/nvme0n1.raw"),
        *("-device", "nvme,drive=nvme0n1,serial=nvme0n1"),
        *("-drive", f"if=none,id=sdb,format=qcow2,{options},file=/home/sdb.qcow2"),
        *("-device", "ide-hd,drive=sdb,serial=sdb"),
    ]


def test_media_are_read_only_and_only_some_are_started_from() -> None:
    media = (Medium(Path("/a,b.iso")), Medium(Path("/answer.img"), "usb", boot=False))
    assert added(replace(PLAIN, media=media)) == [
        *USB,
        *("-drive", "if=none,id=medium0,format=raw,readonly=on,file=/a,,b.iso"),
        *("-device", "ide-cd,id=medium0,drive=medium0,bootindex=0"),
        *("-drive", "if=none,id=medium1,format=raw,readonly=on,file=/answer.img"),
        *("-device", "usb-storage,bus=usb.0,id=medium1,drive=medium1"),
    ]


def test_networks() -> None:
    nics = (
        Nic("52:54:00:00:00:01", UserNetwork((Forward(2222, 22), Forward(9999, 9090)))),
        Nic("52:54:00:00:00:02", SocketNetwork(4444)),
    )
    assert added(replace(PLAIN, nics=nics)) == [
        *USB,
        "-netdev",
        "user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=tcp:127.0.0.1:9999-:9090",
        *("-device", "virtio-net-pci,netdev=net0,mac=52:54:00:00:00:01,romfile="),
        *("-netdev", "socket,id=net1,mcast=230.0.0.1:4444,localaddr=127.0.0.1"),
        *("-device", "virtio-net-pci,netdev=net1,mac=52:54:00:00:00:02,romfile="),
    ]


@pytest.mark.parametrize(("firmware", "rom"), [("bios", ""), ("uefi", ",romfile=")])
def test_a_network_card_to_start_from(firmware: FirmwareName, rom: str) -> None:
    nics = (
        Nic("52:54:00:00:00:01", SocketNetwork(4444)),
        Nic("52:54:00:00:00:02", TapNetwork("tap0"), boot=True),
    )
    words = qemu_arguments(replace(PLAIN, nics=nics, firmware=firmware), PATHS, TCG)
    assert words[-4:] == [
        *("-netdev", "tap,id=net1,ifname=tap0,script=no,downscript=no"),
        "-device",
        f"virtio-net-pci,netdev=net1,mac=52:54:00:00:00:02{rom},bootindex=1",
    ]


def test_user_networks_with_other_addresses() -> None:
    nics = (
        Nic("52:54:00:00:00:01", UserNetwork(ipv4=False)),
        Nic(
            "52:54:00:00:00:02",
            UserNetwork((Forward(2222, 22, "10.0.2.15"),), dhcp_start="10.0.2.77"),
        ),
    )
    words = added(replace(PLAIN, nics=nics))
    assert words[3] == "user,id=net0,ipv4=off"
    forward = "hostfwd=tcp:127.0.0.1:2222-10.0.2.15:22"
    assert words[7] == f"user,id=net1,dhcpstart=10.0.2.77,{forward}"


def test_a_wire_and_the_user_network_meet_in_a_hub() -> None:
    nics = (Nic("52:54:00:00:00:01", UserNetwork((Forward(2222, 22),), wire=True)),)
    assert added(replace(PLAIN, nics=nics)) == [
        *USB,
        *("-netdev", "user,id=net0-user,hostfwd=tcp:127.0.0.1:2222-:22"),
        "-netdev",
        "dgram,id=net0-wire,local.type=unix,local.path=/sockets/net0-machine"
        ",remote.type=unix,remote.path=/sockets/net0-test",
        *("-netdev", "hubport,hubid=0,id=net0-user-port,netdev=net0-user"),
        *("-netdev", "hubport,hubid=0,id=net0-wire-port,netdev=net0-wire"),
        *("-netdev", "hubport,hubid=0,id=net0"),
        *("-device", "virtio-net-pci,netdev=net0,mac=52:54:00:00:00:01,romfile="),
    ]


def test_a_machine_that_goes_on_from_saved_memory() -> None:
    words = added(replace(PLAIN, incoming=Path("/states/memory")))
    assert words == [*USB, "-incoming", "file:/states/memory"]


def test_kernel_and_extra_words() -> None:
    kernel = Kernel(Path("/k"), "console=ttyS0 quiet", Path("/i"))
    assert added(replace(PLAIN, kernel=kernel, extra=("-no-hpet",))) == [
        *USB,
        *("-kernel", "/k", "-append", "console=ttyS0 quiet", "-initrd", "/i", "-no-hpet"),
    ]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            replace(PLAIN, stop_at_reboot=True),
            ["-action", "reboot=shutdown", "-action", "shutdown=pause"],
        ),
        (replace(PLAIN, outlive=True), ["-action", "reboot=reset", "-action", "shutdown=poweroff"]),
    ],
)
def test_what_happens_at_reboot_and_power_off(spec: MachineSpec, words: list[str]) -> None:
    start = BASE.index("-action")
    assert qemu_arguments(spec, PATHS, TCG)[start : start + 4] == words


def test_forwarded_port() -> None:
    nics = (Nic("52:54:00:00:00:01", UserNetwork((Forward(2222, 22),))),)
    spec = replace(PLAIN, nics=nics)
    assert spec.forwarded(22) == 2222
    with pytest.raises(KeyError):
        spec.forwarded(9090)
