"""What replicates a guest's disks, now and by schedule. Pure; refuses what cannot work."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.backup.model import check_guest
from agent.cluster.guests.model import Claim, guest, title
from agent.core.commands import Command, command, write_file
from agent.core.errors import SlipwayError
from agent.core.template import render
from agent.replication.model import Job
from agent.storages.disks import Disk

FOLDER = Path("/etc/slipway/replication")
KEY, KNOWN_HOSTS = FOLDER / "id_ed25519", FOLDER / "known_hosts"
UNITS = Path("/etc/systemd/system")
UNIT = "slipway-replicate-"
SHORTEST = 60
# Names that pass the other node's guard (usr/lib/slipway/replication-target) as they are.
DATASET = re.compile(r"[A-Za-z0-9_.:/-]+")
_SENT = re.compile(r"\(~ ([0-9.]+) (KB|MB|GB)\)")
_UNIT_BYTES = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


@dataclass(frozen=True)
class Disks:
    """A guest's disks. claim: to whom it belongs; datasets: those of ZFS; others: disks of this
    node that are none.
    """

    key: str
    claim: Claim
    datasets: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """What Pacemaker says of a guest: the node, None when it is off, and its word for the state."""

    node: str | None
    state: str


@dataclass(frozen=True)
class Cluster:
    """own: this member; jobs: by the guests' keys; needed: members on which a guest under HA with
    local disks may start, by the guests' keys.
    """

    own: str
    members: frozenset[str]
    jobs: Mapping[str, Job] = field(default_factory=dict)
    needed: Mapping[str, frozenset[str]] = field(default_factory=dict)


def disks(key: str, claim: Claim, found: Sequence[Disk]) -> Disks:
    """Those of a virtual machine. Media in drives are not replicated."""
    local = [disk for disk in found if disk.disk and not disk.shared]
    return Disks(
        key=key,
        claim=claim,
        datasets=tuple(disk.dataset for disk in local if disk.dataset),
        others=tuple(str(disk) for disk in local if not disk.dataset),
    )


def job(what: Disks, nodes: Sequence[str], every: int, cluster: Cluster) -> Job:
    """The job that gives these members replicas. every: seconds. Raises SlipwayError."""
    _check_here(what, cluster.own)
    check_guest(guest(what.key)[1])
    if what.others:
        raise SlipwayError(
            f"{title(what.key)} has disks that are not on ZFS: {', '.join(what.others)}",
            hint="volumes of ZFS can be replicated: make the disks in local-zfs",
        )
    if not what.datasets:
        raise SlipwayError(
            f"{title(what.key)} has no disk on this node alone",
            hint="there is nothing to replicate",
        )
    for dataset in what.datasets:
        if not DATASET.fullmatch(dataset):
            raise SlipwayError(f"the dataset {dataset!r} has an unusual name", hint="rename it")
    if every < SHORTEST:
        raise SlipwayError("replication runs once a minute at most", hint="--every 15m")
    _check_nodes(nodes, cluster)
    made = Job(every, tuple(sorted({*nodes, cluster.own})))
    _check_needed(what.key, made.nodes, cluster)
    return made


def _check_here(what: Disks, own: str) -> None:
    if what.claim.node != own:
        raise SlipwayError(
            f"{title(what.key)} belongs to {what.claim.node}", hint="run the command there"
        )


def _check_nodes(nodes: Sequence[str], cluster: Cluster) -> None:
    strangers = sorted(set(nodes) - cluster.members)
    if strangers:
        raise SlipwayError(
            f"not a member of the cluster: {', '.join(strangers)}",
            hint=f"members are: {', '.join(sorted(cluster.members))}",
        )
    if not set(nodes) - {cluster.own}:
        raise SlipwayError("a replica is on another node", hint="name others than this one")


def _check_needed(key: str, nodes: Sequence[str], cluster: Cluster) -> None:
    bare = sorted(cluster.needed.get(key, frozenset()) - set(nodes))
    if bare:
        raise SlipwayError(
            f"{title(key)} is under HA, and may start on {', '.join(bare)} from a replica",
            hint=f"slipway ha remove {guest(key)[1]} first, or change its group",
        )


def check_removal(key: str, cluster: Cluster) -> Job:
    """The job that is to end. Raises SlipwayError when there is none, or HA needs it."""
    found = cluster.jobs.get(key)
    if found is None:
        raise SlipwayError(f"{title(key)} is not replicated", hint="see: slipway replicate list")
    _check_needed(key, (cluster.own,), cluster)
    return found


def check_run(what: Disks, cluster: Cluster, place: Place | None = None) -> Job:
    """The job that is to run. Raises SlipwayError when it cannot run here.

    place: what Pacemaker says of a guest under HA, None without. It knows first that one moves.
    """
    found = cluster.jobs.get(what.key)
    if found is None:
        raise SlipwayError(
            f"{title(what.key)} is not replicated",
            hint=f"slipway replicate add {guest(what.key)[1]} NODE…",
        )
    _check_here(what, cluster.own)
    if place and place.node is not None and (place.node, place.state) != (cluster.own, "started"):
        raise SlipwayError(
            f"{title(what.key)} is {place.state} on {place.node}", hint="the next run may do it"
        )
    return found


def copy(what: Disks, node: str) -> tuple[Command, ...]:
    """Bring the replica on one member up to date, one disk after the other."""
    ssh = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(KNOWN_HOSTS),
        "IdentitiesOnly": "yes",
    }
    options = (
        "--compress=none",
        "--preserve-properties",
        "--pv-options=-q",
        f"--identifier={node}",
        f"--sshkey={KEY}",
        *(f"--sshoption={name}={value}" for name, value in ssh.items()),
    )
    return tuple(
        command("syncoid", *options, dataset, f"root@{node}:{dataset}") for dataset in what.datasets
    )


def sent(said: str) -> int:
    """How many bytes syncoid said it was about to send; it rounds."""
    return sum(int(float(size) * _UNIT_BYTES[unit]) for size, unit in _SENT.findall(said))


def units(jobs: Mapping[str, Job], claims: Mapping[str, Claim], own: str) -> dict[str, str]:
    """The texts of all units that this member needs, for its own guests, by the units' names."""
    found = {}
    for key, each in jobs.items():
        claim = claims.get(key)
        if claim is not None and claim.node == own and each.targets(own):
            values: dict[str, object] = {"name": guest(key)[1], "every": each.every}
            for kind in ("service", "timer"):
                text = render(f"agent/etc/systemd/system/replicate.{kind}", **values)
                found[f"{UNIT}{key}.{kind}"] = text
    return found


def bring_units(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Command, ...]:
    """The commands that make, change and end timers. Nothing when they are as they should be."""
    gone = sorted(before.keys() - after.keys())
    new = sorted(name for name, text in after.items() if before.get(name) != text)
    if not gone and not new:
        return ()
    return (
        *(command("systemctl", "disable", "--now", name) for name in _timers(gone)),
        *((command("rm", *(UNITS / name for name in gone)),) if gone else ()),
        *(write_file(UNITS / name, after[name], "0644") for name in new),
        command("systemctl", "daemon-reload"),
        *(command("systemctl", "enable", name) for name in _timers(new)),
        # A timer that runs keeps its old time until it starts again.
        *(command("systemctl", "restart", name) for name in _timers(new)),
    )


def _timers(names: Sequence[str]) -> Iterator[str]:
    return (name for name in names if name.endswith(".timer"))
