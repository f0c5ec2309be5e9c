"""The [[storage]] tables, Slipway's: storage for guests beside the node's own disks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from installer.answers.hosts import Host
from installer.answers.table import Line, Name, Table, conflict, refuse

Port = Annotated[int, Field(ge=1, le=65535)]


def _absolute(value: str) -> str:
    if not value.startswith("/") or not value.isprintable() or ".." in value.split("/"):
        raise refuse("an absolute path")
    return value


AbsolutePath = Annotated[str, AfterValidator(_absolute)]


# What LVM and ZFS take as names, without a hyphen that a tool would take for an option.
VolumeGroup = Annotated[str, Field(pattern=r"^[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,126}$")]
Dataset = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$")]


class Storage(Table):
    """What every storage has."""

    name: Name = Field(description="Name of the storage, the same on all nodes")


class DirectoryStorage(Storage):
    """A directory of the node, or one that is mounted there by other means."""

    type: Literal["directory"]
    path: AbsolutePath = Field(description="The directory")


class LvmStorage(Storage):
    """A volume group that is there already, with thick volumes: one on a shared LUN, say."""

    type: Literal["lvm"]
    volume_group: VolumeGroup = Field(description="Name of the volume group")


class LvmThinStorage(Storage):
    """A thin pool that is there already. New ones: `[[disk-setup.data]]`."""

    type: Literal["lvm-thin"]
    volume_group: VolumeGroup = Field(description="Name of the volume group")
    thin_pool: VolumeGroup = Field(description="Name of the thin pool")


class ZfsStorage(Storage):
    """A dataset that is there already. New pools: `[[disk-setup.data]]`."""

    type: Literal["zfs"]
    dataset: Dataset = Field(description="Name of the dataset or pool")


class NfsStorage(Storage):
    """An NFS export."""

    type: Literal["nfs"]
    server: Host = Field(description="Address or name of the server")
    export: AbsolutePath = Field(description="Path of the export on the server")
    version: Literal["3", "4", "4.1", "4.2"] | None = Field(
        None, description="Version of NFS; default: the newest that both know"
    )


class SmbStorage(Storage):
    """An SMB share."""

    type: Literal["smb"]
    server: Host = Field(description="Address or name of the server")
    share: Line = Field(description="Name of the share")
    username: Line | None = Field(None, description="Account; without one, as a guest")
    password: SecretStr | None = Field(None, description="Password of the account")
    domain: Line | None = Field(None, description="Domain or workgroup of the account")

    @model_validator(mode="after")
    def _check_account(self) -> SmbStorage:
        if (self.username is None) != (self.password is None):
            raise conflict("username and password go together")
        return self


class IscsiStorage(Storage):
    """The LUNs of an iSCSI target."""

    type: Literal["iscsi"]
    portal: Host = Field(description="Address or name of the portal")
    port: Port = Field(3260, description="TCP port of the portal")
    target: str = Field(
        pattern=r"^(iqn\.\d{4}-\d{2}\.[a-z0-9.-]+(:.+)?|eui\.[0-9A-Fa-f]{16}|naa\.[0-9A-Fa-f]+)$",
        description="Qualified name of the target",
    )
    username: Line | None = Field(None, description="CHAP account")
    password: SecretStr | None = Field(None, description="CHAP secret")

    @model_validator(mode="after")
    def _check_account(self) -> IscsiStorage:
        if (self.username is None) != (self.password is None):
            raise conflict("username and password go together")
        return self


class RbdStorage(Storage):
    """A pool of an existing Ceph cluster."""

    type: Literal["rbd"]
    monitors: tuple[Host, ...] = Field(min_length=1, description="Addresses of the monitors")
    pool: Line = Field(description="Name of the pool")
    username: Line = Field("admin", description="Ceph client, without `client.`")
    key: SecretStr = Field(description="Key of the client, as in its keyring")


class GlusterStorage(Storage):
    """A GlusterFS volume."""

    type: Literal["gluster"]
    servers: tuple[Host, ...] = Field(
        min_length=1, description="Servers that know the volume; the next when one is down"
    )
    volume: Line = Field(description="Name of the volume")


AnyStorage = Annotated[
    DirectoryStorage
    | LvmStorage
    | LvmThinStorage
    | ZfsStorage
    | NfsStorage
    | SmbStorage
    | IscsiStorage
    | RbdStorage
    | GlusterStorage,
    Field(discriminator="type"),
]
