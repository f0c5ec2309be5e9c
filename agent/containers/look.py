"""Looking: which containers there are, what they do, and what the node offers them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

from pydantic import ValidationError

from agent.config import Directory, GuestStorage, LvmThin, NodeConfig, Zfs
from agent.containers.model import (
    CONFIGURATION,
    FOLDER,
    OWN_SNAPSHOT,
    ContainerError,
    Record,
    folder_of,
)
from agent.containers.plan import RECORD, Seen
from agent.containers.volumes import Volumes, volumes_of
from agent.core.command import run

INTERFACES = Path("/sys/class/net")
RESOLVER = Path("/etc/resolv.conf")
# The block of addresses that LXC's own tools take network cards from.
MAC_PREFIX = "00:16:3e"


def names() -> tuple[str, ...]:
    """Every container of the node that Slipway made."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob(f"*/{RECORD}")))


def see(name: str) -> Seen:
    """One container. Raises ContainerError when there is none, or others made it."""
    folder = folder_of(name)
    if not (folder / RECORD).exists():
        what = "was not made by Slipway" if folder.exists() else "does not exist"
        raise ContainerError(
            f"the container {name} {what}", hint="see: slipway container list, lxc-ls --fancy"
        )
    record = _record(folder / RECORD)
    configuration = folder / CONFIGURATION
    return Seen(
        name=name,
        record=record,
        configuration=configuration.read_text() if configuration.exists() else "",
        state=state(name) if configuration.exists() else "INCOMPLETE",
        snapshots=snapshots(name, record.storage),
        has_disk=has_disk(name, record.storage),
    )


def state(name: str) -> str:
    """LXC's word for what the container does: RUNNING, STOPPED, FROZEN …"""
    return run(["lxc-info", "--name", name, "--state", "--no-humanize"]).stdout.strip()


def addresses(name: str) -> tuple[str, ...]:
    """The addresses that a running container has."""
    said = run(["lxc-info", "--name", name, "--ips", "--no-humanize"], check=False)
    return tuple(said.stdout.split())


def check_new(name: str) -> None:
    """Raises ContainerError when the name is taken."""
    if folder_of(name).exists():
        raise ContainerError(
            f"there is a container {name} already",
            hint=f"choose another name, or run: slipway container remove {name}",
        )


def check_bridge(bridge: str) -> None:
    """Raises ContainerError unless containers can be plugged in there."""
    if not (INTERFACES / bridge / "bridge").is_dir():
        bridges = sorted(path.parent.name for path in INTERFACES.glob("*/bridge"))
        raise ContainerError(
            f"{bridge} is not a bridge of this node",
            hint=f"there are: {', '.join(bridges) or 'none'}",
        )


def choose_storage(config: NodeConfig, pool: str | None) -> GuestStorage:
    """Where guests live, or the extra pool of that name. Raises ContainerError."""
    if pool is None:
        return config.storage
    if pool not in config.data_pools:
        raise ContainerError(
            f"there is no pool {pool}", hint=f"there are: {', '.join(config.data_pools) or 'none'}"
        )
    return config.data_pools[pool]


def volumes(storage: GuestStorage) -> Volumes:
    """The volumes of a storage as it is now."""
    quota = False
    if isinstance(storage, Directory):
        quota = run(["btrfs", "qgroup", "show", storage.path], check=False).status == 0
    return volumes_of(storage, quota=quota)


def snapshots(name: str, storage: GuestStorage) -> tuple[str, ...]:
    """The names of the container's snapshots, oldest first."""
    match storage:
        case LvmThin(volume_group=group):
            return _after(f"container-{name}.", _lvm_names(group))
        case Zfs(dataset=dataset):
            labels = _after(f"{dataset}/container-{name}@", _zfs_snapshots(dataset, name))
            return tuple(label for label in labels if not label.startswith(OWN_SNAPSHOT))
        case Directory(path=path):
            paths = sorted(path.glob(f"container-{name}.*"), key=lambda each: each.stat().st_ctime)
            return _after(f"container-{name}.", [each.name for each in paths])
        case _:
            assert_never(storage)


def has_disk(name: str, storage: GuestStorage) -> bool:
    """Whether the container's disk is there."""
    match storage:
        case LvmThin(volume_group=group):
            return f"container-{name}" in _lvm_names(group)
        case Zfs(dataset=dataset):
            found = run(["zfs", "list", f"{dataset}/container-{name}"], check=False)
            return found.status == 0
        case Directory(path=path):
            return (path / f"container-{name}").exists()
        case _:
            assert_never(storage)


def new_mac() -> str:
    """An address for a network card that no other has."""
    return ":".join([MAC_PREFIX, *(f"{byte:02x}" for byte in secrets.token_bytes(3))])


def name_servers() -> tuple[str, ...]:
    """The node's name servers, as far as a container can reach them."""
    words = [line.split() for line in RESOLVER.read_text().splitlines()]
    servers = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
    return tuple(server for server in servers if not server.startswith(("127.", "::1")))


def _record(path: Path) -> Record:
    try:
        return Record.model_validate_json(path.read_text())
    except ValidationError as error:
        raise ContainerError(f"the container's record is damaged: {error}", where=str(path)) from (
            error
        )


def _after(prefix: str, found: Sequence[str]) -> tuple[str, ...]:
    return tuple(each.removeprefix(prefix) for each in found if each.startswith(prefix))


def _lvm_names(group: str) -> list[str]:
    options = ["--reportformat", "json", "--options", "lv_name", "--sort", "lv_time"]
    report = json.loads(run(["lvs", *options, group]).stdout)
    return [str(row["lv_name"]) for row in report["report"][0]["lv"]]


def _zfs_snapshots(dataset: str, name: str) -> list[str]:
    options = ["-H", "-t", "snapshot", "-o", "name", "-s", "createtxg", "-d", "1"]
    return run(["zfs", "list", *options, f"{dataset}/container-{name}"], check=False).stdout.split()
