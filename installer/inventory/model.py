"""What a machine is made of, as data: the planner's only view of the hardware.

The JSON form of `Inventory` is what `python3 -m installer inventory` prints and what
`plan --inventory FILE` reads; docs/plan-format.md describes it. SCHEMA_VERSION changes when a
field changes its meaning.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Final = 1


class Model(BaseModel):
    """An immutable record; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Content(Model):
    """One signature that libblkid (or an LVM, md, ZFS or LUKS label) shows on a disk.

    device: where it is, "/dev/sda1"; kind: libblkid's TYPE or PTTYPE, "LVM2_member", "ext4",
    "gpt"; label and uuid as libblkid gives them; offset of the signature in bytes, if known.
    """

    device: str
    kind: str
    label: str = ""
    uuid: str = ""
    offset_bytes: int | None = None


class Disk(Model):
    """One whole block device that could be installed on.

    name: the kernel's name, "sda"; path: "/dev/sda"; bus: udev's ID_BUS or the transport
    ("ata", "nvme", "usb", "virtio", "scsi", "mmc"); partitions: their devices, "/dev/sda1";
    links: its names below /dev/disk/by-id and by-path; holders: names of devices on top of it
    (md, dm, bcache); in_use: why it must not be touched now ("holds the installation medium",
    "mounted on /data"), empty when it may be.
    """

    name: str
    path: str
    size_bytes: int = Field(gt=0)
    logical_sector_bytes: int = 512
    physical_sector_bytes: int = 512
    model: str = ""
    serial: str = ""
    wwn: str = ""
    bus: str = ""
    rotational: bool = False
    removable: bool = False
    read_only: bool = False
    partitions: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    udev: dict[str, str] = {}
    contents: tuple[Content, ...] = ()
    holders: tuple[str, ...] = ()
    in_use: str = ""


class VolumeGroup(Model):
    """An LVM volume group that is on the machine's disks; devices: its physical volumes."""

    name: str
    uuid: str
    devices: tuple[str, ...]


class NetworkInterface(Model):
    """One physical network link. link_up is None when the driver does not tell."""

    name: str
    mac: str
    driver: str = ""
    pci_path: str = ""
    link_up: bool | None = None
    speed_mbit: int | None = None
    udev: dict[str, str] = {}


class Lease(Model):
    """What DHCP offered on one link, as far as a plan needs it. Addresses carry their prefix."""

    interface: str
    address: str
    gateway: str = ""
    dns: tuple[str, ...] = ()
    hostname: str = ""
    domain: str = ""


class Firmware(Model):
    """How the machine was started. secure_boot is None in BIOS mode."""

    mode: Literal["bios", "uefi"]
    secure_boot: bool | None = None


class Inventory(Model):
    """The whole machine. dmi holds /sys/class/dmi/id values by file name, serials included.

    consoles: the running kernel's console= parameters, in order; the node gets the same.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    firmware: Firmware
    memory_mib: int = Field(gt=0)
    cpu_model: str = ""
    cpu_threads: int = 1
    cpu_virtualization: bool = False
    dmi: dict[str, str] = {}
    consoles: tuple[str, ...] = ()
    disks: tuple[Disk, ...] = ()
    volume_groups: tuple[VolumeGroup, ...] = ()
    interfaces: tuple[NetworkInterface, ...] = ()
    leases: tuple[Lease, ...] = ()
