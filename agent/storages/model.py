"""Storages beside the node's own disks: what a file in /etc/slipway/storages says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from agent.config import Directory, LvmThin, Model, Zfs

Version = Literal["3", "4", "4.1", "4.2"]
# Values end up in arguments, in mount's options and in libvirt's XML.
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$")]
AbsolutePath = Annotated[str, Field(pattern=r"^/[^\x00-\x1f]*$")]
Word = Annotated[str, Field(pattern=r"^[^\x00-\x20,/-][^\x00-\x1f,/]*$")]
Port = Annotated[int, Field(ge=1, le=65535)]
# The name of a storage is one of a pool, a file and a folder.
NAME = r"[a-z][a-z0-9_-]{0,30}"


class Lvm(Model):
    """A volume group; a disk is a thick volume. It may lie on a LUN that several nodes share."""

    kind: Literal["lvm"] = "lvm"
    volume_group: Word


class Nfs(Model):
    """An NFS export. version: None leaves it to client and server."""

    kind: Literal["nfs"] = "nfs"
    server: Host
    export: AbsolutePath
    version: Version | None = None


class Smb(Model):
    """An SMB share. Without a username, as a guest; the password is the storage's secret."""

    kind: Literal["smb"] = "smb"
    server: Host
    share: Word
    username: Word | None = None
    domain: Word | None = None


class Iscsi(Model):
    """The LUNs of an iSCSI target. username: of CHAP, its password is the storage's secret."""

    kind: Literal["iscsi"] = "iscsi"
    portal: Host
    port: Port = 3260
    target: Word
    username: Word | None = None


class Rbd(Model):
    """A pool of a Ceph cluster; the client's key is the storage's secret."""

    kind: Literal["rbd"] = "rbd"
    monitors: tuple[Host, ...]
    pool: Word
    username: Word = "admin"


class Gluster(Model):
    """A GlusterFS volume, which each of the servers knows."""

    kind: Literal["gluster"] = "gluster"
    servers: tuple[Host, ...]
    volume: Word


Storage = Annotated[
    Directory | Lvm | LvmThin | Zfs | Nfs | Smb | Iscsi | Rbd | Gluster,
    Field(discriminator="kind"),
]
# The kinds with a server.
REMOTE = (Nfs, Smb, Iscsi, Rbd, Gluster)
# Below it, file systems of storages have their places, by the storages' names.
MOUNTS = Path("/var/lib/slipway/storages")


def needs_secret(storage: Storage) -> bool:
    """Whether the storage cannot be used without a secret."""
    match storage:
        case Rbd():
            return True
        case Smb(username=username) | Iscsi(username=username):
            return username is not None
    return False


def where(storage: Storage) -> str:
    """What the storage is, for people: "192.0.2.9:/export/guests"."""
    match storage:
        case Directory(path=path):
            return str(path)
        case Lvm(volume_group=group) | LvmThin(volume_group=group, thin_pool=""):
            return group
        case LvmThin(volume_group=group, thin_pool=pool):
            return f"{group}/{pool}"
        case Zfs(dataset=dataset):
            return dataset
        case Nfs(server=server, export=export):
            return f"{server}:{export}"
        case Smb(server=server, share=share):
            return f"//{server}/{share}"
        case Iscsi(portal=portal, port=port, target=target):
            return f"{portal}:{port} {target}"
        case Rbd(monitors=monitors, pool=pool):
            return f"{','.join(monitors)} {pool}"
        case Gluster(servers=servers, volume=volume):
            return f"{','.join(servers)} {volume}"
