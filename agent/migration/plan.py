"""What moves a guest to another member. Pure; what cannot work raises SlipwayError."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.cluster.guests.model import Claim, guest, title
from agent.cluster.libvirt import uri
from agent.cluster.monitor import NodeState
from agent.core.commands import Command, command
from agent.core.errors import SlipwayError
from agent.ha.model import Group, Resource
from agent.ha.plan import MIGRATION, migrate_options
from agent.hypervisor import Volume
from agent.storages.disks import Disk

# Pacemaker waits as long for what it migrates.
MOVE_SECONDS = 3600


@dataclass(frozen=True)
class Moving:
    """A guest that is to move. runs: it is on; autostart: with its node; disks: those with a
    source; volumes: of local disks, by their names in the machine; ties: what cannot be copied;
    resource: its place under HA; group: of that; state: under HA, Pacemaker's word; keeps:
    members that keep a replica of its disks.
    """

    key: str
    claim: Claim
    runs: bool = True
    autostart: bool = False
    disks: tuple[Disk, ...] = ()
    volumes: dict[str, Volume] = field(default_factory=dict)
    ties: tuple[str, ...] = ()
    resource: Resource | None = None
    group: Group | None = None
    state: str = ""
    keeps: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Cluster:
    """own: this node; members: by configuration; nodes: as Pacemaker sees them, by name."""

    own: str
    members: frozenset[str]
    nodes: dict[str, NodeState]


@dataclass(frozen=True)
class Target:
    """What the other node has. pools: active ones of libvirt; volumes: POOL/NAME of all in them;
    guests: machines that it knows.
    """

    pools: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    guests: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Move:
    """begin: taken back when one fails, unless the guest has arrived; finish: after it has."""

    begin: tuple[Command, ...]
    finish: tuple[Command, ...] = ()


def check(moving: Moving, node: str, cluster: Cluster) -> None:
    """Raises SlipwayError when the guest cannot move to this node, before it is looked at."""
    kind, name = guest(moving.key)
    _check_node(node, cluster)
    if kind == "container":
        raise SlipwayError(
            f"{title(moving.key)} cannot move while it runs: LXC has no live migration",
            hint="slipway backup run on its node, slipway backup restore on the other, with a "
            "storage that both reach; or ha with replicas, which starts it when its node fails",
        )
    if moving.resource is not None:
        _check_ha(moving, moving.resource, node, cluster)
        return
    if moving.claim.node != cluster.own:
        raise SlipwayError(
            f"{title(moving.key)} is on {moving.claim.node}", hint="run the command there"
        )
    if node == cluster.own:
        raise SlipwayError(f"{title(moving.key)} is on {node} already")
    if moving.ties:
        raise SlipwayError(
            f"{title(moving.key)} cannot move to another node: {'; '.join(moving.ties)}",
            hint="remove them first, with Cockpit or virsh",
        )
    local = _local(moving)
    if local and not moving.runs:
        raise SlipwayError(
            f"{name} is off, and these disks are on this node alone: {', '.join(map(str, local))}",
            hint=f"disks are copied while a machine runs: virsh start {name}",
        )


def _check_node(node: str, cluster: Cluster) -> None:
    if node not in cluster.members:
        raise SlipwayError(
            f"{node} is not a member of the cluster",
            hint=f"members are: {', '.join(sorted(cluster.members))}",
        )
    seen = cluster.nodes.get(node)
    if seen is None or not seen.online or seen.pending or seen.unclean:
        raise SlipwayError(f"{node} is offline", hint="see: slipway cluster status")
    if seen.standby:
        raise SlipwayError(
            f"{node} is in standby and takes no guests", hint=f"pcs node unstandby {node}"
        )


def _check_ha(moving: Moving, resource: Resource, node: str, cluster: Cluster) -> None:
    what, name, group = title(moving.key), guest(moving.key)[1], moving.group
    if moving.state != "started":
        raise SlipwayError(
            f"{what} is {moving.state or 'not started'}", hint=f"pcs resource enable {resource.id}"
        )
    if node == moving.claim.node:
        raise SlipwayError(f"{what} is on {node} already")
    if resource.local and node not in moving.keeps:
        raise SlipwayError(
            f"{what} has local disks and no replica on {node}",
            hint=f"slipway replicate add {name} {node}",
        )
    if group is None:
        return
    if group.restricted and node not in group.nodes:
        raise SlipwayError(
            f"{what} runs on nodes of its group {group.name} alone: {', '.join(group.nodes)}",
            hint=f"slipway ha group add {group.name} NODE=PRIORITY… with {node}",
        )
    better = [
        other
        for other, priority in sorted(group.nodes.items(), key=lambda each: -each[1])
        if priority > group.nodes.get(node, 0) and _takes(other, cluster)
    ]
    if resource.failback and better:
        raise SlipwayError(
            f"{what} would go back at once: its group {group.name} prefers {', '.join(better)}",
            hint=f"change the priorities: slipway ha group add {group.name} {node}=999 …",
        )


def _takes(node: str, cluster: Cluster) -> bool:
    seen = cluster.nodes.get(node)
    return seen is not None and seen.online and not seen.standby


def plan(moving: Moving, node: str, cluster: Cluster, target: Target) -> Move:
    """The commands. Raises SlipwayError when the other node cannot take the guest."""
    check(moving, node, cluster)
    if moving.resource is not None:
        wait = f"--wait={MOVE_SECONDS}"
        return Move((command("pcs", "resource", "move", moving.resource.id, node, wait),))
    name = guest(moving.key)[1]
    _check_target(moving, node, target)
    local = _local(moving)
    new = [moving.volumes[d.target] for d in local if _label(moving, d) not in target.volumes]
    how = _how(moving, node)
    return Move(
        begin=(
            *(_create(volume, node) for volume in new),
            command("virsh", "migrate", *how, "--persistent", name, uri(node)),
        ),
        finish=(
            command("slipway", "guest", "give", "vm", name, node),
            *(
                (command("virsh", "--connect", uri(node), "autostart", name),)
                if moving.autostart
                else ()
            ),
            command("virsh", "undefine", name, "--keep-nvram", "--keep-tpm"),
            *_forget(moving, local, cluster.own),
        ),
    )


def _how(moving: Moving, node: str) -> tuple[str, ...]:
    copied = [disk.target for disk in _local(moving)]
    if not moving.runs:
        return ("--offline",)
    beside = ("--migrateuri", MIGRATION.format(node)) if copied else ()
    return ("--live", *migrate_options(copied), *beside)


def _check_target(moving: Moving, node: str, target: Target) -> None:
    name = guest(moving.key)[1]
    if name in target.guests:
        raise SlipwayError(
            f"{node} has a machine called {name}", hint=f"on {node}: virsh undefine {name}"
        )
    for disk in _local(moving):
        volume = moving.volumes.get(disk.target)
        if volume is None:
            raise SlipwayError(
                f"the disk {disk} is in no pool of libvirt, so it cannot be made on {node}",
                hint="move it into a storage: slipway storage list",
            )
        if volume.pool not in target.pools:
            raise SlipwayError(
                f"{node} has no storage {volume.pool} for the disk {disk}",
                hint=f"on {node}: slipway storage add",
            )
        if _label(moving, disk) in target.volumes and node not in moving.keeps:
            raise SlipwayError(
                f"{node} has a disk {volume.name} in {volume.pool} already",
                hint=f"if nobody needs it, on {node}: "
                f"virsh vol-delete --pool {volume.pool} {volume.name}",
            )


def _local(moving: Moving) -> Sequence[Disk]:
    return [disk for disk in moving.disks if not disk.shared]


def _label(moving: Moving, disk: Disk) -> str:
    volume = moving.volumes[disk.target]
    return f"{volume.pool}/{volume.name}"


def _create(volume: Volume, node: str) -> Command:
    there = ("virsh", "--connect", uri(node))
    form = ("--format", volume.format) if volume.format == "qcow2" else ()
    return command(
        *(*there, "vol-create-as", "--pool", volume.pool, "--name", volume.name),
        *("--capacity", str(volume.size), "--allocation", "0", *form),
        undo=(*there, "vol-delete", "--pool", volume.pool, volume.name),
    )


def _forget(moving: Moving, local: Sequence[Disk], own: str) -> tuple[Command, ...]:
    """Remove the disks here, unless this node is one that keeps a replica."""
    if own in moving.keeps:
        return ()
    volumes = [moving.volumes[disk.target] for disk in local]
    return tuple(command("virsh", "vol-delete", "--pool", v.pool, v.name) for v in volumes)
