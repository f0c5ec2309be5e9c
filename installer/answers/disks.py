"""The [disk-setup] table: which disks carry the node, and how.

`disk-list`, `filter`, `filter-match` and the option tables are those of the Proxmox format;
`select`, `data` and `lvm.raid` are Slipway's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from installer.answers.table import (
    Gibibytes,
    GibibytesOrNone,
    Line,
    Lines,
    Name,
    OneOrMany,
    Table,
    conflict,
    refuse,
)

ZfsRaid = Literal["raid0", "raid1", "raid10", "raidz-1", "raidz-2", "raidz-3"]
BtrfsRaid = Literal["raid0", "raid1", "raid10"]
# The smallest number of disks for each level, the same for ZFS, btrfs and md.
MINIMUM_DISKS = {"raid0": 1, "raid1": 2, "raid10": 4, "raidz-1": 3, "raidz-2": 4, "raidz-3": 5}

UNITS = {unit: 1000**power for power, unit in enumerate("KMGTP", start=1)}
UNITS |= {f"{unit}i": 1024**power for power, unit in enumerate("KMGTP", start=1)}
SIZE = re.compile(r"(>=|<=|>|<|=)\s*(\d{1,6}(?:\.\d{1,6})?)\s*([KMGTP]i?)B?")


@dataclass(frozen=True)
class SizeCondition:
    """A comparison with a disk's size: operator is one of >= <= > < =, size in bytes."""

    operator: str
    size_bytes: int


def size_condition(text: str) -> SizeCondition:
    """Parse ">= 400G" (powers of 1000, as on a disk's label) or ">= 400GiB" (of 1024).

    Raises PydanticCustomError.
    """
    found = SIZE.fullmatch(text.strip())
    if not found:
        raise refuse('a comparison with a size, like ">= 400G" or "< 2TiB"')
    operator, number, unit = found.groups()
    return SizeCondition(operator, round(float(number) * UNITS[unit]))


def _check_size(text: str) -> str:
    size_condition(text)
    return text


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) and value.isupper() else value


Sizes = Annotated[
    tuple[Annotated[str, AfterValidator(_check_size)], ...],
    Field(min_length=1),
    OneOrMany(),
]


class DiskMatch(Table):
    """Conditions on one disk. All that are given must hold; a list of globs holds if one does."""

    name: Lines | None = Field(None, description="Globs on the kernel name or a /dev path of it")
    serial: Lines | None = Field(None, description="Globs on the serial number")
    wwn: Lines | None = Field(None, description="Globs on the world wide name")
    model: Lines | None = Field(None, description="Globs on the model")
    bus: Lines | None = Field(None, description="Globs on the bus: ata, nvme, usb, virtio, scsi")
    size: Sizes | None = Field(
        None,
        description='Comparisons with the size, all must hold: ">= 400G" (powers of 1000) or '
        '">= 400GiB" (powers of 1024)',
    )
    rotational: bool | None = Field(None, description="Spinning disks, or flash only")
    udev: dict[Line, Line] | None = Field(
        None, min_length=1, description="udev properties and globs, all must hold"
    )
    any: tuple[DiskMatch, ...] | None = Field(
        None, min_length=1, description="At least one of these must hold"
    )
    all: tuple[DiskMatch, ...] | None = Field(
        None, min_length=1, description="All of these must hold"
    )
    not_: DiskMatch | None = Field(None, description="This must not hold")

    @property
    def size_conditions(self) -> tuple[SizeCondition, ...]:
        """The comparisons of `size`, parsed."""
        return tuple(size_condition(text) for text in self.size or ())

    @model_validator(mode="after")
    def _check_not_empty(self) -> DiskMatch:
        if all(getattr(self, name) is None for name in DiskMatch.model_fields):
            raise conflict("at least one condition is needed")
        return self


class DiskSelect(DiskMatch):
    """Conditions that choose disks, how many of those that fit, and which of them first."""

    count: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="How many disks to take. Without it, every disk that fits. With more disks "
        "that fit than `count`, `sort` must say which come first",
    )
    sort: Literal["name", "smallest", "largest"] | None = Field(
        None, description="The order in which `count` disks are taken"
    )

    @model_validator(mode="after")
    def _check_not_empty(self) -> DiskSelect:
        if all(getattr(self, name) is None for name in DiskSelect.model_fields):
            raise conflict("a condition, count or sort is needed")
        return self


class ZfsOptions(Table):
    """The [disk-setup.zfs] table."""

    raid: Annotated[ZfsRaid, BeforeValidator(_lower)] = Field(description="Level of redundancy")
    ashift: int = Field(12, ge=9, le=16, description="Sector size of the pool as a power of two")
    arc_max: int | None = Field(
        None,
        ge=0,
        le=2**40,
        description="Upper limit of the ARC in MiB; 0 leaves it to ZFS; without it a tenth of "
        "the memory, 64 MiB to 16 GiB",
    )
    checksum: Literal["on", "fletcher4", "sha256"] = Field("on", description="Checksum algorithm")
    compress: Literal["on", "off", "lzjb", "lz4", "zle", "gzip", "zstd"] = Field(
        "on", description="Compression algorithm"
    )
    copies: int = Field(1, ge=1, le=3, description="Copies kept of each block")
    hdsize: Gibibytes | None = Field(
        None, description="Use only this much of each disk, GiB; default: the first disk's size"
    )


class LvmOptions(Table):
    """The [disk-setup.lvm] table, for ext4 and xfs. Sizes in GiB."""

    hdsize: Gibibytes | None = Field(None, description="Use only this much of the disk, GiB")
    swapsize: GibibytesOrNone | None = Field(None, description="Size of swap, GiB; 0 for none")
    maxroot: GibibytesOrNone | None = Field(
        None, description="Largest size of the root file system, GiB; 0 stands for 96"
    )
    minfree: GibibytesOrNone | None = Field(
        None, description="Space left free in the volume group, GiB"
    )
    maxvz: GibibytesOrNone | None = Field(
        None, description="Largest size of the guests' thin pool, GiB; 0 for none"
    )
    raid: Literal["raid1"] | None = Field(
        None, description="Put the volume group on an md mirror of two or more disks"
    )

    @model_validator(mode="after")
    def _check_swap(self) -> LvmOptions:
        if self.hdsize and self.swapsize and self.swapsize > self.hdsize / 2:
            raise conflict("swapsize must not be more than half of hdsize")
        return self


class BtrfsOptions(Table):
    """The [disk-setup.btrfs] table."""

    raid: Annotated[BtrfsRaid, BeforeValidator(_lower)] = Field(description="Level of redundancy")
    compress: Literal["on", "off", "zlib", "lzo", "zstd"] = Field(
        "off", description="Compression algorithm"
    )
    hdsize: Gibibytes | None = Field(
        None, description="Use only this much of each disk, GiB; default: the first disk's size"
    )


class DiskLayout(Table):
    """Disks and the options for what is made on them; `kind` says which options fit."""

    disk_list: tuple[Line, ...] | None = Field(
        None,
        min_length=1,
        description='Disks by name ("sda"), path or link ("/dev/disk/by-id/…"). Each must exist',
    )
    filter: dict[Line, Line] | None = Field(
        None, min_length=1, description="udev properties and globs that choose the disks"
    )
    filter_match: Literal["any", "all"] = Field(
        "any", description="Whether any or all entries of `filter` must match a disk"
    )
    select: DiskSelect | None = Field(None, description="Choose disks by what they are")
    zfs: ZfsOptions | None = Field(None, description="Options for ZFS")
    lvm: LvmOptions | None = Field(None, description="Options for LVM")
    btrfs: BtrfsOptions | None = Field(None, description="Options for btrfs")

    @property
    def option_table(self) -> Literal["lvm", "zfs", "btrfs"]:
        """The name of the one option table that fits."""
        raise NotImplementedError

    @property
    def raid(self) -> ZfsRaid | BtrfsRaid | None:
        """The level of redundancy; None is one disk."""
        options = self.zfs or self.btrfs or self.lvm
        return options.raid if options else None

    @model_validator(mode="after")
    def _check_layout(self) -> DiskLayout:
        given = [name for name in ("disk_list", "filter", "select") if getattr(self, name)]
        if len(given) != 1:
            raise conflict("exactly one of disk-list, filter and select is needed")
        for name in {"zfs", "lvm", "btrfs"} - {self.option_table}:
            if getattr(self, name) is not None:
                raise conflict(f"only [{self.option_table}] options fit here, not [{name}]")
        if self.option_table != "lvm" and self.raid is None:
            raise conflict(f"{self.option_table}.raid is needed")
        if self.disk_list is not None:
            _check_disk_list(self.disk_list, self.raid)
        return self


def _check_disk_list(names: tuple[str, ...], raid: str | None) -> None:
    if len(set(names)) != len(names):
        raise conflict("disk-list names a disk twice")
    if raid is None and len(names) != 1:
        raise conflict(f"disk-list must name exactly one disk for this layout, not {len(names)}")
    if raid is not None and len(names) < MINIMUM_DISKS[raid]:
        raise conflict(f"{raid} needs at least {MINIMUM_DISKS[raid]} disks, not {len(names)}")


class DataPool(DiskLayout):
    """A `[[disk-setup.data]]` table: a pool for guests on further disks."""

    name: Name = Field(description="Name of the pool, the volume group or the zpool")
    layout: Literal["lvm-thin", "zfs", "btrfs"] = Field(description="What the pool is made of")

    @property
    def option_table(self) -> Literal["lvm", "zfs", "btrfs"]:
        return "lvm" if self.layout == "lvm-thin" else self.layout

    @model_validator(mode="after")
    def _check_sizes(self) -> DataPool:
        for name in ("swapsize", "maxroot", "minfree", "maxvz"):
            if self.lvm and getattr(self.lvm, name) is not None:
                raise conflict(f"lvm.{name} has no meaning for a data pool")
        return self


class DiskSetup(DiskLayout):
    """The [disk-setup] table."""

    filesystem: Literal["ext4", "xfs", "zfs", "btrfs"] = Field(
        description="The root file system; ext4 and xfs are put on LVM"
    )
    data: tuple[DataPool, ...] = Field((), description="Further pools for guests")

    @property
    def option_table(self) -> Literal["lvm", "zfs", "btrfs"]:
        if self.filesystem == "zfs" or self.filesystem == "btrfs":
            return self.filesystem
        return "lvm"

    @model_validator(mode="after")
    def _check_data(self) -> DiskSetup:
        names = [pool.name for pool in self.data]
        if len(set(names)) != len(names):
            raise conflict("two data pools have the same name")
        return self
