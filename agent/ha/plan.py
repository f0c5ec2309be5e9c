"""What puts guests under HA and takes them out, and makes groups. Pure.

A change that cannot work raises SlipwayError with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agent.cluster.guests.model import Claim, copy_of, guest, title
from agent.core.commands import Command, command
from agent.core.errors import SlipwayError
from agent.ha.model import COPY_STORAGE, RETURNS, STAYS, Group, Resource
from agent.ha.transaction import transaction

NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
LARGEST = 999
# Where data goes that does not go through libvirt; by itself libvirt would name the node by its
# full name, which others need not know.
MIGRATION = "tcp://{}"
ORPHANS = "stop-orphan-resources"
# A guest may take minutes to shut down or to be copied, and Pacemaker fences a node that does not
# stop one in time; LXC's agent asks for 10 s to start, which is too short.
CONTAINER_OPERATIONS = (
    "start timeout=180s",
    "stop timeout=180s",
    "monitor interval=20s timeout=60s",
)
MACHINE_OPERATIONS = (
    "start timeout=300s",
    "stop timeout=300s",
    "monitor interval=10s timeout=60s",
    "migrate_to timeout=3600s",
    "migrate_from timeout=300s",
)


@dataclass(frozen=True)
class Situation:
    """What a member sees. own: its name; why_off: why HA is off, empty when it is on; replicas:
    members that have one of a guest, by the guests' keys; resources: guests under HA.
    """

    own: str
    members: frozenset[str]
    why_off: str = ""
    groups: Mapping[str, Group] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    replicas: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """A guest that is to be under HA. claim: None when the cluster does not know it; local: its
    disks that other members do not reach, copied: their names in a machine; ties: what is on this
    node alone and cannot be copied, like snapshots; defined: libvirt has a definition, which it
    gives up.
    """

    key: str
    claim: Claim | None
    local: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()
    defined: bool = True


def add(
    candidate: Candidate, group: str | None, situation: Situation, *, failback: bool
) -> tuple[Command, ...]:
    """Have Pacemaker run the guest. It goes on where it runs; a stopped one is started."""
    if situation.why_off:
        raise SlipwayError(
            f"HA is off: {situation.why_off}",
            hint="without fencing a guest could run on two nodes at once and destroy its disks",
        )
    _check_new(candidate, situation)
    if failback and group is None:
        raise SlipwayError(
            "only a group says where a guest goes back to", hint="name one with --group"
        )
    chosen = None if group is None else _group(group, situation)
    _check_replicas(candidate.key, candidate.local, chosen, situation)
    stickiness = RETURNS if failback else STAYS
    changes = [_create(candidate, stickiness), *_rules(candidate.key, chosen)]
    forget = ("virsh", "undefine", guest(candidate.key)[1], "--keep-nvram", "--keep-tpm")
    machine = guest(candidate.key)[0] == "vm"
    return (
        *transaction(changes),
        *((command(*forget),) if machine and candidate.defined else ()),
    )


def migrate_options(copied: Sequence[str]) -> tuple[str, ...]:
    """Options of `virsh migrate --live`. copied: disks that the other node does not reach.

    Memory goes through libvirt's own connection, which is encrypted. libvirt refuses that for
    disks, so with any all data goes beside it.
    """
    if copied:
        return "--p2p", COPY_STORAGE, "--migrate-disks", ",".join(copied)
    return "--p2p", "--tunnelled"


def _check_new(candidate: Candidate, situation: Situation) -> None:
    what, claim = title(candidate.key), candidate.claim
    if candidate.key in situation.resources:
        raise SlipwayError(
            f"{what} is under HA already",
            hint=f"to change its group: slipway ha remove {guest(candidate.key)[1]}, then add it",
        )
    if claim is None:
        raise SlipwayError(f"the cluster knows no {what}", hint="see: slipway cluster status")
    if claim.node != situation.own:
        raise SlipwayError(f"{what} belongs to {claim.node}", hint="run the command there")
    if len(claim.digests) != 1:
        raise SlipwayError(
            f"the definition of {what} is still on its way to other members",
            hint="try again in a minute",
        )
    if candidate.ties:
        raise SlipwayError(
            f"{what} cannot move to another node: {'; '.join(candidate.ties)}",
            hint="remove them first, with Cockpit or virsh",
        )


def _group(name: str, situation: Situation) -> Group:
    try:
        return situation.groups[name]
    except KeyError:
        raise SlipwayError(
            f"there is no group {name}",
            hint=f"there are: {', '.join(situation.groups) or 'none'}; see: slipway ha group add",
        ) from None


def _check_replicas(
    key: str, local: Sequence[str], group: Group | None, situation: Situation
) -> None:
    """Wherever Pacemaker may start a guest its disks must be."""
    if not local:
        return
    there = situation.replicas.get(key, frozenset()) | {situation.own}
    bare = sorted(places(group, situation) - there)
    if bare:
        name = guest(key)[1]
        raise SlipwayError(
            f"{title(key)} has disks on this node alone, and no replica on "
            f"{', '.join(bare)}: {', '.join(local)}",
            hint=f"slipway replicate add {name} {' '.join(bare)}, then slipway replicate run "
            f"{name}; or a restricted group of nodes with replicas; or shared storage",
        )


def places(group: Group | None, situation: Situation) -> frozenset[str]:
    """Where Pacemaker may start guests of the group, or of none."""
    restricted = group is not None and group.restricted
    return frozenset(group.nodes) if group and restricted else situation.members


def _create(candidate: Candidate, stickiness: int) -> tuple[str, ...]:
    """The resource."""
    kind, name = guest(candidate.key)
    create = ("resource", "create", candidate.key)
    config = f"config={copy_of(candidate.key)}"
    meta = ("meta", f"resource-stickiness={stickiness}")
    if kind == "container":
        agent = ("ocf:heartbeat:lxc", config, f"container={name}")
        return (*create, *agent, *_operations(CONTAINER_OPERATIONS), *meta)
    options = (
        "hypervisor=qemu:///system",
        "migration_transport=tls",
        f"migrate_options={' '.join(migrate_options(candidate.copied))}",
        *((f"migrateuri={MIGRATION.format('%n')}",) if candidate.copied else ()),
        "start_resources=1",
        # They would write to the CIB at every look.
        *(f"autoset_utilization_{each}=0" for each in ("cpu", "host_memory", "hv_memory")),
    )
    machine = ("ocf:heartbeat:VirtualDomain", config, *options)
    return (*create, *machine, *_operations(MACHINE_OPERATIONS), *meta, "allow-migrate=true")


def _operations(operations: Sequence[str]) -> Iterator[str]:
    for each in operations:
        yield "op"
        yield from each.split()


def _rules(key: str, group: Group | None) -> Iterator[tuple[str, ...]]:
    if group is None:
        return
    location = ("constraint", "location", key, "rule")
    places = (f"constraint-id={key}-group", f"score-attribute={group.attribute}")
    yield (*location, *places, f"defined {group.attribute}")
    if group.restricted:
        nowhere = (f"constraint-id={key}-only", "score=-INFINITY")
        yield (*location, *nowhere, f"not_defined {group.attribute}")


@dataclass(frozen=True)
class Removal:
    """begin: taken back when one fails; finish: after Pacemaker has given the guest up."""

    begin: tuple[Command, ...]
    finish: tuple[Command, ...]


def remove(key: str, situation: Situation, *, node: str | None, copied: bool) -> Removal:
    """Take the guest out of HA. It goes on, as a guest of this node.

    node: where it runs, None when it does not; copied: this node has a copy of its definition.
    """
    if key not in situation.resources:
        raise SlipwayError(f"{title(key)} is not under HA", hint="see: slipway ha list")
    if node is not None and node != situation.own:
        raise SlipwayError(f"{title(key)} runs on {node}", hint="run the command there")
    if not copied:
        raise SlipwayError(f"this node has no copy of {title(key)}", hint="try another member")
    kind, _ = guest(key)
    resource = situation.resources[key].id
    # Else Pacemaker would stop what it finds running and has not in its configuration.
    usual = ("pcs", "property", "set", f"{ORPHANS}=")
    keep = command("pcs", "property", "set", f"{ORPHANS}=false", undo=usual)
    return Removal(
        begin=(
            *(define_here(key) if kind == "vm" else _restore_container(key)),
            keep,
            command("pcs", "resource", "delete", "--force", resource),
        ),
        # In this order: while Pacemaker remembers the guest it would stop it.
        finish=(
            command("crm_resource", "--refresh", "--resource", resource),
            command(*usual),
        ),
    )


def define_here(key: str) -> tuple[Command, ...]:
    """Give libvirt the definition again."""
    name = guest(key)[1]
    undo = ("virsh", "undefine", name, "--keep-nvram", "--keep-tpm")
    return (command("virsh", "define", copy_of(key), undo=undo),)


def _restore_container(key: str) -> tuple[Command, ...]:
    folder = f"/var/lib/lxc/{guest(key)[1]}"
    return (
        command("install", "--directory", folder),
        command("install", "--mode=0640", copy_of(key), f"{folder}/config"),
    )


def set_group(group: Group, situation: Situation) -> tuple[Command, ...]:
    """Make a group, or give one other nodes and priorities; its guests move if they prefer so."""
    _check_group(group, situation)
    before = situation.groups.get(group.name)
    users = _users(group.name, situation)
    if before and before.restricted != group.restricted and users:
        raise SlipwayError(
            f"the group {group.name} cannot become "
            f"{'restricted' if group.restricted else 'open'} while it has guests",
            hint=f"take these out first, with slipway ha remove: {', '.join(users)}",
        )
    for key, resource in situation.resources.items():
        if resource.group == group.name and resource.local:
            _check_replicas(key, ("its disks are not shared",), group, situation)
    return transaction(_attributes(before, group))


def _check_group(group: Group, situation: Situation) -> None:
    if not NAME.fullmatch(group.name):
        raise SlipwayError(
            f"a group cannot be called {group.name!r}", hint="use a-z, 0-9 and -, a letter first"
        )
    if not group.nodes:
        raise SlipwayError("a group has nodes", hint="slipway ha group add NAME NODE=PRIORITY…")
    strangers = sorted(set(group.nodes) - situation.members)
    if strangers:
        raise SlipwayError(
            f"not a member of the cluster: {', '.join(strangers)}",
            hint=f"members are: {', '.join(sorted(situation.members))}",
        )
    for node, priority in group.nodes.items():
        if not 1 <= priority <= LARGEST:
            raise SlipwayError(
                f"the priority of {node} is {priority}", hint=f"use 1 to {LARGEST}; highest first"
            )


def _attributes(before: Group | None, after: Group) -> Iterator[tuple[str, ...]]:
    if before:
        same = before.attribute == after.attribute
        for node in sorted(before.nodes.keys() - after.nodes if same else before.nodes):
            yield "node", "attribute", node, f"{before.attribute}="
    for node, priority in sorted(after.nodes.items(), key=lambda item: -item[1]):
        yield "node", "attribute", node, f"{after.attribute}={priority}"


def remove_group(name: str, situation: Situation) -> tuple[Command, ...]:
    """Give a group up that has no guests."""
    group = _group(name, situation)
    users = _users(name, situation)
    if users:
        raise SlipwayError(
            f"the group {name} has guests: {', '.join(users)}",
            hint="take them out first: slipway ha remove GUEST",
        )
    return transaction(
        ("node", "attribute", node, f"{group.attribute}=") for node in sorted(group.nodes)
    )


def _users(name: str, situation: Situation) -> list[str]:
    return [guest(key)[1] for key, one in situation.resources.items() if one.group == name]
