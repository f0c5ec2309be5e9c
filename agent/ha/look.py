"""Looking: groups and guests under HA, and a guest that is to be. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from agent import config, hypervisor
from agent.cluster import monitor as crm_mon
from agent.cluster import status
from agent.cluster.cib import Cib
from agent.cluster.guests import look as definitions
from agent.cluster.guests.model import Claim, claims, guest, key
from agent.cluster.monitor import View
from agent.cluster.status import Cluster
from agent.containers import look as containers
from agent.core.command import run
from agent.core.errors import SlipwayError
from agent.ha.model import Listed, groups, resources, shown
from agent.ha.plan import Candidate, Situation
from agent.replication.model import replicas
from agent.replication.plan import Place
from agent.storages import registry
from agent.storages.disks import Disk, disks_of
from agent.storages.model import Storage

SECONDS = 120


def cib() -> Element:
    """The whole CIB. Raises CommandFailed while the cluster does not run."""
    return ElementTree.fromstring(run(["cibadmin", "--query"], timeout=SECONDS).stdout)


def monitor() -> Element:
    """What Pacemaker sees, stopped resources included. Raises CommandFailed."""
    return ElementTree.fromstring(crm_mon.query())


def listed(own: str) -> Listed:
    """Groups and guests for people. Raises SlipwayError on a node without a cluster."""
    state, view = status.look(own)
    if view is None:
        return Listed(enabled=False, why_off=state.why_off, guests=(), groups=())
    whole = cib()
    return Listed(
        enabled=state.ha,
        why_off=state.why_off,
        guests=shown(resources(whole), monitor()),
        groups=tuple(groups(whole).values()),
    )


def quorate(own: str) -> tuple[Cluster, View]:
    """The cluster as this node sees it. Raises SlipwayError without quorum."""
    state, view = status.look(own)
    if view is None or not view.quorate:
        raise SlipwayError("this node is in no cluster with quorum", hint="slipway cluster status")
    return state, view


def situation(own: str) -> Situation:
    """What decides about a change. Raises SlipwayError, CommandFailed."""
    state, _ = quorate(own)
    whole = cib()
    return Situation(
        own=own,
        members=frozenset(member.name for member in state.members),
        why_off=state.why_off,
        groups=groups(whole),
        resources=resources(whole),
        replicas=replicas(Cib().texts()),
    )


def known(name: str) -> tuple[str, Claim]:
    """Key and claim of the guest with this name. Raises SlipwayError unless there is one."""
    claimed = claims(Cib().texts())
    found = [each for each in (key("vm", name), key("container", name)) if each in claimed]
    if not found:
        raise SlipwayError(
            f"the cluster knows no guest {name}", hint="a new one is known after a minute"
        )
    if len(found) > 1:
        raise SlipwayError(
            f"both a virtual machine and a container are called {name}",
            hint="names are unique in a cluster: rename one of them",
        )
    return found[0], claimed[found[0]]


def place(key: str) -> Place | None:
    """Where Pacemaker has the guest; None when it is not under HA. Raises CommandFailed."""
    resource = resources(cib()).get(key)
    if resource is None:
        return None
    (seen,) = shown({key: resource}, monitor())
    return Place(seen.node, seen.state)


def candidate(name: str) -> Candidate:
    """A guest of this node. Raises SlipwayError when there is none of this name, Retry."""
    found, claim = known(name)
    kind, plain = guest(found)
    texts = definitions.definitions()
    if kind == "container":
        local = (f"the container's files ({containers.see(plain).record.storage.kind})",)
        return Candidate(found, claim, local if found in texts else ())
    disks = [d for d in disks_of(texts.get(found, "<domain/>"), storages()) if not d.shared]
    return Candidate(
        key=found,
        claim=claim,
        local=tuple(str(disk) for disk in disks if disk.disk),
        copied=tuple(disk.target for disk in disks if disk.disk),
        ties=(*media(disks), *(hypervisor.ties(plain) if found in texts else ())),
        defined=found in texts,
    )


def media(disks: Iterable[Disk]) -> list[str]:
    """What keeps a machine here of what is in its drives, in words."""
    own = (disk for disk in disks if not disk.disk and not disk.shared)
    return [f"its drive {disk} has a file of this node" for disk in own]


def storages() -> Mapping[str, Storage]:
    """All storages of the node by the names of their pools: declared ones, and its own."""
    settings = config.load()
    own: dict[str, Storage] = {config.ZFS_POOL: settings.storage}
    return registry.load() | own | dict(settings.data_pools)
