"""Plans for containers: pure, from what is wanted and what was seen to commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.containers import guest, lxc
from agent.containers.model import CONFIGURATION, Container, ContainerError, Record, folder_of
from agent.containers.volumes import Volumes
from agent.core.commands import Command, command, remove_tree, write_file

RECORD = "slipway.json"
RUNNING = "RUNNING"


@dataclass(frozen=True)
class Seen:
    """A container of the node. state: LXC's word; configuration: its text, empty when its making
    was interrupted; snapshots: oldest first; has_disk: the making came that far.
    """

    name: str
    record: Record
    configuration: str
    state: str
    snapshots: tuple[str, ...] = ()
    has_disk: bool = True


def create(
    container: Container, record: Record, volumes: Volumes, template: Path
) -> tuple[Command, ...]:
    """A new container from a template's archive. It is listed once it is complete."""
    root = volumes.path(container.name)
    return (
        *_begin(container.name, record),
        *volumes.create(container.name, record.disk_bytes),
        *guest.unpack(template, root),
        guest.personalize(container, root),
        *volumes.close(container.name),
        _configure(container.name, lxc.configuration(container, volumes.rootfs(container.name))),
    )


def clone(
    source: Seen, container: Container, volumes: Volumes, *, linked: bool
) -> tuple[Command, ...]:
    """A new container from another one. Of `container` name and network count.

    Raises ContainerError where the storage cannot do it.
    """
    name, size = container.name, source.record.disk_bytes
    if not linked and source.state == RUNNING and not volumes.copies_live:
        raise ContainerError(
            f"{source.name} runs, and its storage cannot copy a disk that is in use",
            hint=f"run: slipway container stop {source.name}",
        )
    copy = volumes.linked_clone if linked else volumes.full_clone
    text = lxc.cloned(source.configuration, name, volumes.rootfs(name), container.network)
    return (
        *_begin(name, source.record),
        *copy(source.name, name, size),
        *volumes.open(name),
        guest.personalize(container, volumes.path(name)),
        *volumes.close(name),
        _configure(name, text),
    )


def remove(seen: Seen, volumes: Volumes) -> tuple[Command, ...]:
    """Remove a container with its disk. Raises ContainerError while it runs."""
    _check_stopped(seen)
    return (
        *(volumes.remove(seen.name, seen.snapshots) if seen.has_disk else ()),
        command(*remove_tree(folder_of(seen.name))),
    )


def snapshot(seen: Seen, label: str, volumes: Volumes) -> tuple[Command, ...]:
    """Keep the container's disk as it is now. Raises ContainerError."""
    if label in seen.snapshots:
        raise ContainerError(f"{seen.name} has a snapshot {label} already")
    return volumes.snapshot(seen.name, label)


def remove_snapshot(seen: Seen, label: str, volumes: Volumes) -> tuple[Command, ...]:
    """Give a snapshot up. Raises ContainerError when there is none."""
    _check_snapshot(seen, label)
    return volumes.remove_snapshot(seen.name, label)


def rollback(seen: Seen, label: str, volumes: Volumes) -> tuple[Command, ...]:
    """Make the disk what it was. Raises ContainerError while the container runs."""
    _check_snapshot(seen, label)
    _check_stopped(seen)
    newer = seen.snapshots[seen.snapshots.index(label) + 1 :]
    return volumes.rollback(seen.name, label, newer, seen.record.disk_bytes)


def _begin(name: str, record: Record) -> tuple[Command, ...]:
    """From here on `remove` knows what belongs to the container."""
    folder = folder_of(name)
    return (
        command("install", "--directory", "--mode=0711", folder, undo=remove_tree(folder)),
        write_file(folder / RECORD, record.model_dump_json(indent=2) + "\n"),
    )


def _configure(name: str, text: str) -> Command:
    return write_file(folder_of(name) / CONFIGURATION, text)


def _check_stopped(seen: Seen) -> None:
    if seen.state == RUNNING:
        raise ContainerError(
            f"the container {seen.name} runs", hint=f"run: slipway container stop {seen.name}"
        )


def _check_snapshot(seen: Seen, label: str) -> None:
    if label not in seen.snapshots:
        raise ContainerError(
            f"{seen.name} has no snapshot {label}",
            hint=f"there are: {', '.join(seen.snapshots) or 'none'}",
        )
