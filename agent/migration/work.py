"""A guest is moved: looks at both nodes, plans, and runs the plan."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from agent import hypervisor
from agent.cluster import libvirt
from agent.cluster.cib import Cib
from agent.cluster.guests import look as definitions
from agent.cluster.guests.model import guest
from agent.core.command import Argument, Result, run
from agent.core.commands import explain, perform
from agent.core.errors import SlipwayError
from agent.ha import look as ha
from agent.ha.model import groups, resources, shown
from agent.migration.plan import Cluster, Move, Moving, Target, check, plan
from agent.replication.lock import alone
from agent.replication.model import jobs
from agent.step import Retry
from agent.storages.disks import Disk, disks_of


def cluster(own: str) -> Cluster:
    """The cluster as this node sees it. Raises SlipwayError without quorum."""
    state, view = ha.quorate(own)
    members = frozenset(member.name for member in state.members)
    return Cluster(own, members, {node.name: node for node in view.nodes})


def moving(name: str) -> Moving:
    """The guest. Raises SlipwayError when the cluster knows none of this name."""
    key, claim = ha.known(name)
    whole, job = ha.cib(), jobs(Cib().texts()).get(key)
    resource = resources(whole).get(key)
    keeps = frozenset(job.nodes) if job else frozenset()
    if resource is not None:
        (seen,) = shown({key: resource}, ha.monitor())
        group = groups(whole).get(resource.group or "")
        return Moving(key, claim, resource=resource, group=group, state=seen.state, keeps=keeps)
    text = definitions.definitions().get(key)
    if guest(key)[0] == "container" or text is None:
        return Moving(key, claim)
    disks = disks_of(text, ha.storages())
    return Moving(
        key=key,
        claim=claim,
        runs=guest(key)[1] in hypervisor.active(),
        autostart=key in definitions.starting_with_the_node(),
        disks=tuple(disk for disk in disks if disk.disk),
        volumes={d.target: v for d in disks if not d.shared and (v := hypervisor.volume(_path(d)))},
        ties=(*ha.media(disks), *hypervisor.ties(guest(key)[1])),
        keeps=keeps,
    )


def migrate(name: str, node: str, own: str, *, show: bool) -> None:
    """Move a guest. Raises SlipwayError."""
    here, what = cluster(own), moving(name)
    check(what, node, here)
    target = Target() if what.resource else look_at(node)
    move = plan(what, node, here, target)
    if show:
        print(explain((*move.begin, *move.finish)))
        return
    with alone(what.key):
        _begin(move, guest(what.key)[1], node)
        perform(move.finish, _tell, undo=False)


def look_at(node: str) -> Target:
    """What another member has. Raises SlipwayError when its libvirt cannot be reached."""
    there = libvirt.uri(node)
    try:
        active = [pool for pool, runs in hypervisor.pools(there).items() if runs]
        return Target(
            pools=frozenset(active),
            volumes=frozenset(hypervisor.volumes(there)),
            guests=frozenset(one.name for one in hypervisor.guests(there)),
        )
    except Retry as error:
        raise SlipwayError(
            f"libvirt of {node} does not answer: {error.message}",
            hint=f"on {node}: systemctl status libvirtd libvirtd-tls.socket",
        ) from error


def _begin(move: Move, name: str, node: str) -> None:
    try:
        perform(move.begin, _tell, undo=False)
    except BaseException:
        # Whoever asks a node that is gone cannot know whether the guest has arrived.
        try:
            arrived = name in hypervisor.active(libvirt.uri(node))
        except Retry:
            arrived = True
        for each in () if arrived else reversed(move.begin):
            if each.undo:
                run(each.undo, check=False)
        raise


def _tell(argv: Sequence[Argument], **options: object) -> Result:
    """Say what is run, before it is: copying disks takes its time."""
    print(" ".join(map(str, argv)), file=sys.stderr, flush=True)
    return run(argv, **options)  # type: ignore[arg-type]


def _path(disk: Disk) -> Path | tuple[str, str]:
    if disk.place.startswith("/"):
        return Path(disk.place)
    pool, _, volume = disk.place.partition("/")
    return pool, volume
