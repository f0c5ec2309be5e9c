"""The ZFS layouts: the node in a pool over all its disks, or an extra pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.config import Zfs
from agent.core.errors import SlipwayError
from installer.answers.disks import ZfsOptions, ZfsRaid
from installer.inventory.model import Disk
from installer.plan.storage.layout import Layout, derived_uuid, stable_partition
from installer.plan.storage.partitions import data_partitions, limit_kib, system_partitions
from installer.plan.storage.raid import check_count, check_even, check_sizes, pairs
from installer.plan.storage_actions import (
    CreateDataset,
    CreateZpool,
    ExportZpool,
    Mount,
    Partition,
    SetZpoolProperty,
)

POOL = "rpool"
ROOT_DATASET = f"{POOL}/ROOT/slipway"
GUESTS_DATASET = f"{POOL}/data"
# Words of zpool-create, which a pool's name must not begin with.
RESERVED = ("mirror", "raidz", "draid", "spare", "log")


def plan_zfs(disks: Sequence[Disk], options: ZfsOptions) -> Layout:
    """The node in the pool rpool. Raises SlipwayError when the disks do not make the level."""
    limit = limit_kib(options.hdsize, disks)
    partitions = {disk.path: system_partitions(disk, "zfs", limit) for disk in disks}
    return Layout(
        partitions=partitions,
        create=(
            _zpool(POOL, disks, partitions, options, "disk-setup.zfs"),
            CreateDataset(name=f"{POOL}/ROOT", properties={"mountpoint": "none"}),
            # The initrd mounts the root by its name; no other root beside it mounts itself.
            CreateDataset(name=ROOT_DATASET, properties={"mountpoint": "/", "canmount": "noauto"}),
            CreateDataset(name=GUESTS_DATASET),
            SetZpoolProperty(pool=POOL, name="bootfs", value=ROOT_DATASET),
            Mount(device=ROOT_DATASET, path="/", filesystem="zfs", options=("zfsutil",)),
        ),
        finish=(ExportZpool(pool=POOL),),
        guests=Zfs(dataset=GUESTS_DATASET),
        summary=f"ZFS {_describe(disks, options)}",
        kernel_root=(f"root=ZFS={ROOT_DATASET}", "boot=zfs"),
    )


def plan_zfs_data(name: str, disks: Sequence[Disk], options: ZfsOptions, where: str) -> Layout:
    """An extra pool. Raises SlipwayError when the disks do not make the level."""
    if name.startswith(RESERVED):
        raise SlipwayError(f"a ZFS pool cannot be called {name}", where=where)
    limit = limit_kib(options.hdsize, disks)
    partitions = {disk.path: data_partitions(disk, "zfs", limit) for disk in disks}
    return Layout(
        partitions=partitions,
        create=(_zpool(name, disks, partitions, options, where),),
        finish=(ExportZpool(pool=name),),
        guests=Zfs(dataset=name),
        summary=f"pool {name}: ZFS {_describe(disks, options)}",
    )


def host_id_parameter(disks: Sequence[Disk]) -> str:
    """The kernel parameter that gives the node the host id which ZFS writes into its pools.

    A pool that was not exported is only imported by the same host, so the id must not change with
    the initrd, nor be shared by nodes; on the command line it wins over any /etc/hostid.
    """
    host_id = int(derived_uuid(disks, "host id")[:8], 16)
    # ZFS takes 0 for none.
    return f"spl.spl_hostid={host_id or 1:#010x}"


def group_disks(level: ZfsRaid, disks: Sequence[Disk], where: str) -> list[tuple[str, list[Disk]]]:
    """The groups of a pool: zpool-create's word for each ("" for plain disks) and its disks.

    Raises SlipwayError when there are too few disks, or those of a group differ in size.
    """
    check_count(level, disks, where)
    if level == "raid0":
        return [("", list(disks))]
    if level == "raid10":
        check_even(disks, where)
        for pair in pairs(disks):
            check_sizes(pair, where)
        return [("mirror", list(pair)) for pair in pairs(disks)]
    check_sizes(disks, where)
    return [("mirror" if level == "raid1" else level.replace("-", ""), list(disks))]


def _zpool(
    name: str,
    disks: Sequence[Disk],
    partitions: Mapping[str, tuple[Partition, ...]],
    options: ZfsOptions,
    where: str,
) -> CreateZpool:
    vdevs: list[str] = []
    for word, group in group_disks(options.raid, disks, where):
        vdevs += [word] if word else []
        vdevs += [stable_partition(disk, partitions[disk.path][-1]) for disk in group]
    properties = {
        "atime": "on",
        "relatime": "on",
        "compression": options.compress,
        # systemd's journal sets access control lists; they are fast in the inode's own space.
        "acltype": "posix",
        "xattr": "sa",
        # The pool's top is never mounted: what is below it is, and finds its place by it.
        "mountpoint": f"/{name}",
        "canmount": "off",
    }
    if options.checksum != "on":
        properties["checksum"] = options.checksum
    if options.copies != 1:
        properties["copies"] = str(options.copies)
    return CreateZpool(
        name=name,
        vdevs=tuple(vdevs),
        properties={"ashift": str(options.ashift), "cachefile": "none"},
        dataset_properties=properties,
    )


def _describe(disks: Sequence[Disk], options: ZfsOptions) -> str:
    return f"{options.raid} on {', '.join(disk.path for disk in disks)}"
