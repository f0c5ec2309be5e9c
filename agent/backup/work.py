"""Backups are made and restored: looks at the node, plans, and runs the plan."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from agent import config, hypervisor
from agent.backup import definition, plan
from agent.backup.model import Backup, Kind, backups_in, check_guest, choose, name_of, outdated
from agent.config import Directory, LvmThin
from agent.containers import look
from agent.containers.model import Record
from agent.containers.model import folder_of as container_folder
from agent.containers.plan import RECORD
from agent.core.commands import Command, explain, perform
from agent.core.errors import SlipwayError
from agent.steps.storage import POOL_PATH
from agent.storages import registry
from agent.storages.model import MOUNTS, Nfs, Smb

# The folder of backups on a storage, beside the disks.
FOLDER = "backup"
VM_CONFIGURATION = "vmconfig.copy.xml"
LOCK = Path("/run/slipway-backup.lock")


def place_of(word: str) -> Path:
    """The folder that a path or a storage's name stands for. Raises SlipwayError."""
    if word.startswith("/"):
        if not Path(word).is_dir():
            raise SlipwayError("there is no such folder", where=word)
        return Path(word)
    storage = registry.load().get(word)
    match storage:
        case None:
            raise SlipwayError(f"there is no storage {word}", hint="see: slipway storage list")
        case Directory(path=path):
            return path / FOLDER
        case Nfs() | Smb() | LvmThin():
            if not (MOUNTS / word).is_mount():
                raise SlipwayError("the storage is not in use", where=f"storage {word}")
            return MOUNTS / word / FOLDER
    raise SlipwayError("backups are files, and the storage has none", where=f"storage {word}")


def guests() -> dict[str, Kind]:
    """Every guest of the node that can be backed up."""
    machines: dict[str, Kind] = {guest.name: "vm" for guest in hypervisor.guests()}
    return machines | {name: "container" for name in look.names()}


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other backup of this node runs: two schedules may come due at once."""
    with lock.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another backup runs; this one begins after it", file=sys.stderr, flush=True)
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def run_backups(
    names: Sequence[str], place: Path, keep: int, *, show: bool, lock: Path = LOCK
) -> tuple[str, ...]:
    """Back the guests up, one after the other; a line for each that failed.

    keep: how many backups of each guest stay. Older ones go after a new one is complete.
    """
    with nullcontext() if show else _alone(lock):
        return _run_backups(names, place, keep, show=show)


def _run_backups(names: Sequence[str], place: Path, keep: int, *, show: bool) -> tuple[str, ...]:
    known, failed = guests(), []
    for name in names:
        try:
            kind = known.get(check_guest(name))
            if kind is None:
                raise SlipwayError(f"there is no guest {name}")
            _run(_plan(name, kind, place), show=show)
            old = outdated(backups_in(place), kind, name, keep)
            _run(plan.forget(old), show=show)
        except SlipwayError as error:
            failed.append(f"{name}: {error}")
    return tuple(failed)


def _plan(name: str, kind: Kind, place: Path) -> tuple[Command, ...]:
    time = name_of(datetime.now(UTC))
    if kind == "vm":
        return plan.backup_vm(place, name, time)
    seen = look.see(name)
    storage = seen.record.storage
    leftover = look.has_disk(plan.copy_of(name), storage)
    return plan.backup_container(place, seen, look.volumes(storage), time, leftover=leftover)


def restore(guest: str, place: Path, time: str | None, name: str, *, show: bool) -> None:
    """Bring a guest back under this name. Raises SlipwayError when there is one."""
    backup = choose(backups_in(place), guest, time)
    if check_guest(name) in guests():
        raise SlipwayError(
            f"there is a guest {name}", hint="remove it first, or restore under another name: --as"
        )
    commands = (
        _restore_vm(backup, name) if backup.kind == "vm" else _restore_container(backup, name)
    )
    _run(commands, show=show)


def _restore_vm(backup: Backup, name: str) -> tuple[Command, ...]:
    xml = _read(backup.path / VM_CONFIGURATION)
    disks, images = definition.disks_of(xml), _images()
    places = {target: plan.disk_place(images, name, target) for target in disks}
    taken = [str(path) for path in places.values() if path.exists()]
    if taken:
        raise SlipwayError(f"there are files already: {', '.join(taken)}", hint="move them away")
    new = definition.restored(xml, name, places)
    return plan.restore_vm(backup, name, new, disks, images)


def _images() -> Path:
    """Where disks of new machines lie: the place of libvirt's pool `local`."""
    storage = config.load().storage
    return storage.path if isinstance(storage, Directory) else POOL_PATH


def _restore_container(backup: Backup, name: str) -> tuple[Command, ...]:
    if name != backup.guest:
        raise SlipwayError(
            "a container comes back under its own name", hint="then: slipway container clone"
        )
    if container_folder(name).exists():
        raise SlipwayError("the container's folder exists", where=str(container_folder(name)))
    record = Record.model_validate_json(_read(backup.path / RECORD))
    return plan.restore_container(backup, record, look.volumes(record.storage))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise SlipwayError("the backup cannot be read", where=str(path), hint=error.strerror) from (
            error
        )


def _run(commands: Sequence[Command], *, show: bool) -> None:
    if not show:
        perform(commands)
    elif commands:
        print(explain(commands))
