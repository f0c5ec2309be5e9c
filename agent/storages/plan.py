"""Which commands take a storage into use, and which end its use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.config import Directory, LvmThin
from agent.core.commands import Command
from agent.storages.images import UNITS, unit_of
from agent.storages.model import MOUNTS, REMOTE, Iscsi, Nfs, Smb, Storage, where
from agent.storages.pool import pool_xml, secret_id, secret_xml
from agent.storages.registry import secret_of

# Disks belong to QEMU's user; SMB has no owners of its own.
SMB_OPTIONS = (
    "uid=libvirt-qemu,gid=libvirt-qemu,forceuid,forcegid,file_mode=0660,dir_mode=0771,"
    "nosuid,nodev,noexec,hard"
)


@dataclass(frozen=True)
class State:
    """What is there of a storage already. active: of its pool; mounted: its file system."""

    defined: bool = False
    active: bool = False
    mounted: bool = False


def connect(name: str, storage: Storage, state: State, server: str) -> Iterator[Command]:
    """Take a storage into use, whose server answers."""
    if secret := secret_xml(name, storage):
        yield Command(("virsh", "secret-define", "/dev/stdin"), input=secret)
        value = ("--file", str(secret_of(name)))
        # Ceph's keys are in base64, as libvirt wants values; passwords are not.
        plain = ("--plain",) if isinstance(storage, Iscsi) else ()
        yield Command(("virsh", "secret-set-value", secret_id(name), *value, *plain))
    if folder := _folder(name, storage):
        yield Command(("mkdir", "-p", str(folder)))
    if isinstance(storage, Smb) and not state.mounted:
        yield _mount(name, storage)
    xml = pool_xml(name, storage, server)
    yield Command(("virsh", "pool-define", "/dev/stdin"), input=xml)
    if not state.active:
        yield Command(("virsh", "pool-start", name))
    # libvirt would wait at its own start for a server that is down, and no guest would start.
    if not isinstance(storage, REMOTE):
        yield Command(("virsh", "pool-autostart", name))


def _folder(name: str, storage: Storage) -> Path | None:
    match storage:
        case Directory(path=path):
            return path
        case Nfs() | Smb() | LvmThin():
            return MOUNTS / name
    return None


def _mount(name: str, storage: Smb) -> Command:
    options = [SMB_OPTIONS, f"username={storage.username}" if storage.username else "guest"]
    if storage.domain:
        options.append(f"domain={storage.domain}")
    password = {"PASSWD_FILE": str(secret_of(name))} if storage.username else {}
    target = str(MOUNTS / name)
    return Command(
        ("mount", "-t", "cifs", "-o", ",".join(options), where(storage), target), env=password
    )


def disconnect(name: str, storage: Storage, state: State) -> Iterator[Command]:
    """End the use of a storage. Nothing on it is touched."""
    if state.active:
        yield Command(("virsh", "pool-destroy", name))
    if state.defined:
        yield Command(("virsh", "pool-undefine", name))
    if state.mounted:
        if isinstance(storage, LvmThin):
            yield from _forget_mount(name)
        else:
            yield Command(("umount", str(MOUNTS / name)))
    if secret_xml(name, storage):
        yield Command(("virsh", "secret-undefine", secret_id(name)), may_fail=True)


def _forget_mount(name: str) -> Iterator[Command]:
    """A thin pool's file system is mounted by a unit of its own."""
    unit = unit_of(MOUNTS / name)
    yield Command(("systemctl", "disable", "--now", unit))
    yield Command(("rm", str(UNITS / unit)))
