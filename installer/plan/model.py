"""The plan: everything that an installation will do, as data, before any of it is done.

The JSON form of `Plan` is what `python3 -m installer plan --json` prints; docs/plan-format.md
describes it. A plan holds no secrets: actions that need one name it, and the executor
is handed the secrets beside the plan.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from agent.config import Directory, LvmThin, Zfs
from installer.inventory.model import Content, Model
from installer.plan.storage_actions import Partition, StorageAction

SCHEMA_VERSION: Final = 1


class PlannedDisk(Model):
    """What happens to one disk of the machine, and what is on it now.

    use: "system" carries the node, "data" an extra pool, "untouched" is left alone;
    reason: why it was chosen or left out, in words for a person.
    """

    path: str
    size_bytes: int
    logical_sector_bytes: int
    model: str
    serial: str
    wwn: str
    contents: tuple[Content, ...]
    use: Literal["system", "data", "untouched"]
    reason: str
    partitions: tuple[Partition, ...] = ()


class UnpackImage(Model):
    """Unpack one of the medium's images over the target."""

    kind: Literal["unpack-image"] = "unpack-image"
    image: str


class CopyKernel(Model):
    """Put the medium's kernel and initrd into the target's /boot."""

    kind: Literal["copy-kernel"] = "copy-kernel"


class WriteFiles(Model):
    """Write the plan's `files` into the target."""

    kind: Literal["write-files"] = "write-files"


class WriteFirstBoot(Model):
    """Put the program of the first boot, which the executor holds, at this path.

    source: where it comes from, for people.
    """

    kind: Literal["write-first-boot"] = "write-first-boot"
    path: str
    source: str


class WriteSecret(Model):
    """Put a secret that the executor holds under this name at this path, for the agent."""

    kind: Literal["write-secret"] = "write-secret"
    path: str
    secret: str


class SetPassword(Model):
    """Set the account's password to a secret that the executor holds under this name."""

    kind: Literal["set-password"] = "set-password"
    user: str
    secret: str
    hashed: bool


class AddUser(Model):
    """Create an account; its password and keys come by actions and files of their own."""

    kind: Literal["add-user"] = "add-user"
    name: str
    full_name: str
    groups: tuple[str, ...]


class RunInTarget(Model):
    """Run a command in the target: one of the answer's own, or one that sets the node up."""

    kind: Literal["run-in-target"] = "run-in-target"
    argv: tuple[str, ...]


class KeepLog(Model):
    """Write the installer's log to the node."""

    kind: Literal["keep-log"] = "keep-log"
    path: str


class WriteIdentity(Model):
    """New machine id and new SSH host keys."""

    kind: Literal["write-identity"] = "write-identity"


class InstallBootLoader(Model):
    """Kernel, initrd and GRUB on one disk: its ESP, its boot sector, the firmware's entry.

    esp_uuid: of the ESP's FAT; bios: the disk has a BIOS boot partition; kernel_parameters: those
    of the node, in order.
    """

    kind: Literal["install-boot-loader"] = "install-boot-loader"
    disk: str
    esp: str
    esp_number: int
    esp_uuid: str
    bios: bool
    firmware_entry: bool
    kernel_parameters: tuple[str, ...]


class Unmount(Model):
    """Write everything out and take the target apart, innermost first."""

    kind: Literal["unmount"] = "unmount"


Action = Annotated[
    StorageAction
    | UnpackImage
    | CopyKernel
    | WriteFiles
    | WriteFirstBoot
    | WriteSecret
    | SetPassword
    | AddUser
    | RunInTarget
    | WriteIdentity
    | InstallBootLoader
    | KeepLog
    | Unmount,
    Field(discriminator="kind"),
]


class PlannedFile(Model):
    """One file of the node. content is its whole text.

    mode: octal text as chmod takes it, "0644"; owner: one of the node's accounts, whose group the
    file gets too. A link_target makes it a symlink.
    """

    path: str
    content: str = ""
    mode: str = "0644"
    owner: str = "root"
    link_target: str = ""


GuestStorage = Annotated[LvmThin | Zfs | Directory, Field(discriminator="kind")]


class StoragePlan(Model):
    """The storage part: disks, and the actions that prepare and release the target.

    prepare: from wiping to mounting; finish: what comes after everything is written (export).
    kernel_root: the kernel parameters that find the root file system;
    fstab: its lines, (device, path, type, options, dump, pass);
    esps: (disk, partition device, FAT volume id "XXXX-XXXX") of every root disk;
    guests: where guests live; data_pools: the same for extra pools, by their names;
    zfs_arc_max_bytes: for zfs.ko's zfs_arc_max, 0 leaves the limit to ZFS.
    """

    disks: tuple[PlannedDisk, ...]
    prepare: tuple[Action, ...]
    finish: tuple[Action, ...] = ()
    kernel_root: tuple[str, ...]
    fstab: tuple[tuple[str, str, str, str, int, int], ...]
    esps: tuple[tuple[str, str, str], ...]
    guests: GuestStorage
    data_pools: dict[str, GuestStorage] = {}
    zfs_arc_max_bytes: int
    summary: str
    warnings: tuple[str, ...] = ()


class Plan(Model):
    """Everything that will happen, in order.

    warnings: what a person should know and nothing prevents.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    fqdn: str
    summary: str
    warnings: tuple[str, ...] = ()
    disks: tuple[PlannedDisk, ...]
    actions: tuple[Action, ...]
    files: tuple[PlannedFile, ...]
    reboot: Literal["reboot", "power-off"] = "reboot"
