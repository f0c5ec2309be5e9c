"""What a test machine is made of, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.lab.dilation import Dilation

MIB = 1 << 20
GIB = 1 << 30

FirmwareName = Literal["bios", "uefi", "uefi-sb"]
Bus = Literal["virtio", "scsi", "nvme", "ata"]


@dataclass(frozen=True)
class Disk:
    """One disk; it is made when the machine first starts and kept for its next start.

    size: bytes; sector: logical and physical sector size in bytes (ata: 512 only).
    backing: an image whose content the disk starts with and which is never written.
    format: qcow2, or raw for a test that looks at the disk's bytes from outside.
    """

    name: str
    size: int = 40 * GIB
    serial: str = ""
    bus: Bus = "virtio"
    sector: int = 512
    backing: Path | None = None
    format: Literal["qcow2", "raw"] = "qcow2"


@dataclass(frozen=True)
class Forward:
    """A TCP port of the host, on loopback, which leads to a port of the guest.

    address: the guest's; without one, the first that DHCP offers.
    """

    host: int
    guest: int
    address: str = ""


@dataclass(frozen=True)
class UserNetwork:
    """QEMU's own network 10.0.2.0/24 and fec0::/64: gateways 10.0.2.2 and fec0::2, DNS 10.0.2.3.

    ipv4: without it only fec0::/64 is there, and nothing can be forwarded; dhcp_start: what DHCP
    offers, 10.0.2.15 by default; wire: a test can be a neighbor there, see tests.lab.wire.
    """

    forwards: tuple[Forward, ...] = ()
    ipv4: bool = True
    dhcp_start: str = ""
    wire: bool = False


@dataclass(frozen=True)
class SocketNetwork:
    """An Ethernet segment shared by all machines of this host that name the same UDP port."""

    port: int


@dataclass(frozen=True)
class TapNetwork:
    """A tap device of this host, by its name."""

    tap: str


@dataclass(frozen=True)
class Nic:
    """A virtio network card. plugged: the cable is in when the machine starts; boot: the firmware
    starts from it, before any disk.
    """

    mac: str
    network: UserNetwork | SocketNetwork | TapNetwork
    plugged: bool = True
    boot: bool = False


@dataclass(frozen=True)
class Medium:
    """A removable medium, read-only. boot: the firmware is told to start from it."""

    image: Path
    kind: Literal["cdrom", "usb"] = "cdrom"
    boot: bool = True


@dataclass(frozen=True)
class Kernel:
    """A kernel that QEMU loads by itself, past firmware and boot loader."""

    image: Path
    command_line: str
    initrd: Path | None = None


@dataclass(frozen=True)
class MachineSpec:
    """A whole machine.

    stop_at_reboot: when the guest resets, pause and emit SHUTDOWN instead of starting again.
    incoming: the memory of a machine like this one, which it goes on with (Machine.save_memory).
    outlive: the machine may go on after the program that started it, and ends when the guest
    powers off. Others end with the program, and stay there paused after a power-off.
    dilation: of the machine's time, see tests.lab.dilation.
    extra: QEMU arguments that no field covers.
    """

    name: str
    firmware: FirmwareName = "bios"
    memory_mib: int = 2048
    cpus: int = 2
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    media: tuple[Medium, ...] = ()
    kernel: Kernel | None = None
    stop_at_reboot: bool = False
    incoming: Path | None = None
    outlive: bool = False
    dilation: Dilation | None = None
    extra: tuple[str, ...] = ()

    @property
    def slowness(self) -> int:
        """Seconds around the machine for one second of its own time."""
        return self.dilation.factor if self.dilation else 1

    def forwarded(self, guest_port: int) -> int:
        """The host's port that leads to this port of the guest. Raises KeyError."""
        for nic in self.nics:
            if isinstance(nic.network, UserNetwork):
                for forward in nic.network.forwards:
                    if forward.guest == guest_port:
                        return forward.host
        raise KeyError(guest_port)


@dataclass(frozen=True)
class Paths:
    """Where a machine keeps its things.

    home: disks and firmware variables, kept between starts; logs: what this start leaves behind;
    sockets: monitor and serial console, in a folder with a short name (a socket's path may
    have 107 characters).
    """

    home: Path
    logs: Path
    sockets: Path

    def disk(self, disk: Disk) -> Path:
        return self.home / f"{disk.name}.{disk.format}"

    @property
    def firmware_variables(self) -> Path:
        return self.home / "firmware-variables.qcow2"

    @property
    def monitor(self) -> Path:
        return self.sockets / "monitor"

    @property
    def serial(self) -> Path:
        return self.sockets / "serial"

    def wire(self, nic: str) -> tuple[Path, Path]:
        """The two ends of the wire at a NIC: the test's and the machine's."""
        return self.sockets / f"{nic}-test", self.sockets / f"{nic}-machine"

    @property
    def serial_log(self) -> Path:
        return self.logs / "serial.log"
