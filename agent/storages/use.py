"""Storages are taken into use, and given up: looks at the node, plans, and runs the plan."""

from __future__ import annotations

from agent import hypervisor
from agent.config import LvmThin
from agent.core.commands import Command, execute
from agent.core.errors import SlipwayError
from agent.storages import plan, reach, registry
from agent.storages.images import Images
from agent.storages.model import MOUNTS, Storage, where
from agent.storages.users import is_used_by


class NotThere(SlipwayError):
    """The storage's server does not answer."""


def connect(name: str, storage: Storage, *, explain: bool = False) -> None:
    """Take the storage into use, and start the guests on it that start with the node.

    Raises NotThere, SlipwayError.
    """
    server = reach.answering(storage)
    if server is None:
        raise NotThere(f"no server of {where(storage)} answers", where=f"storage {name}")
    if isinstance(storage, LvmThin):
        execute(Images(MOUNTS / name, storage).commands(), explain=explain)
    was_active = state_of(name).active
    execute(plan.connect(name, storage, state_of(name), server), explain=explain)
    if not was_active:
        execute(_starts(name, storage), explain=explain)


def _starts(name: str, storage: Storage) -> list[Command]:
    """libvirt could not start these guests with the node."""
    return [
        Command(("virsh", "start", guest.name), may_fail=True)
        for guest in hypervisor.guests()
        if guest.autostart and not guest.active and is_used_by(name, storage, guest.xml)
    ]


def start_guests() -> None:
    """Start every guest that starts with the node and does not run: libvirt could not."""
    waiting = [guest for guest in hypervisor.guests() if guest.autostart and not guest.active]
    execute(Command(("virsh", "start", guest.name), may_fail=True) for guest in waiting)


def disconnect(name: str, storage: Storage, *, explain: bool = False) -> None:
    """End the use of the storage. Raises SlipwayError while a guest has a disk on it."""
    users = [guest.name for guest in hypervisor.guests() if is_used_by(name, storage, guest.xml)]
    if users:
        raise SlipwayError(
            f"these guests have disks on it: {', '.join(users)}",
            where=f"storage {name}",
            hint="move their disks, or remove the guests, first",
        )
    execute(plan.disconnect(name, storage, state_of(name)), explain=explain)


def connect_all() -> dict[str, str]:
    """Try every declared storage that is not in use: why those that still are not are not."""
    failed = {}
    for name in unused():
        try:
            connect(name, registry.load()[name])
        except SlipwayError as error:
            failed[name] = error.message if isinstance(error, NotThere) else str(error)
    return failed


def unused() -> tuple[str, ...]:
    """The names of declared storages that are not in use. Raises Retry."""
    pools = hypervisor.pools()
    return tuple(name for name in registry.load() if not pools.get(name))


def state_of(name: str) -> plan.State:
    """What is there of the storage. Raises Retry."""
    pools = hypervisor.pools()
    return plan.State(name in pools, pools.get(name, False), (MOUNTS / name).is_mount())
