"""What is wrong in the cluster, and what to do about it. Pure, from what the commands printed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent.overview.model import Answer, Overview, Problem

# Parts of a storage's space that are used when a person should know, and when it is urgent.
FULL, VERY_FULL = 0.85, 0.95
# A replica that is older than so many intervals was missed.
LATE = 2
ORDER = {"danger": 0, "warning": 1, "info": 2}


def problems(found: Overview) -> tuple[Problem, ...]:
    """Everything that is wrong, the worst first."""
    said = list(_of_cluster(found))
    for name, answer in found.nodes.items():
        said += _of_node(name, answer, _state(found, name))
    return tuple(sorted(said, key=lambda problem: ORDER[problem.level]))


def alone(cluster: Answer) -> bool:
    """The node that said this belongs to no cluster."""
    part = cluster.parts.get("cluster")
    return part is not None and "belongs to no cluster" in part.error


def _state(found: Overview, name: str) -> str:
    part = found.cluster.parts.get("cluster")
    members = part.value["members"] if part and part.value else ()
    return next((str(one["state"]) for one in members if one["name"] == name), "")


def _of_cluster(found: Overview) -> Iterator[Problem]:
    if found.cluster.error:
        yield Problem(
            level="danger",
            what=f"this node's own service {found.cluster.error}",
            todo="journalctl -b -u slipway-overview.socket -u slipway-overview",
        )
    if found.alone:
        return
    for name, part in found.cluster.parts.items():
        if part.error and name in ("cluster", "ha"):
            yield Problem(level="warning", what=part.error)
    if state := value(found.cluster, "cluster"):
        yield from _of_quorum(state)
        yield from map(_of_member, filter(_is_missing, state["members"]))
        yield from (link for member in state["members"] for link in _of_links(member))
        yield from (Problem(level="info", what=line) for line in state["advice"])
        for title in state["guests"]["stale"]:
            what = f"{found.node}: the copy of {title} is stale, so it does not start here"
            yield Problem(level="info", what=what, node=found.node)
    for guest in (value(found.cluster, "ha") or {}).get("guests", ()):
        yield from _of_guest(guest)
    for job in (value(found.cluster, "replicas") or {}).get("jobs", ()):
        yield from _of_replica(job)


def _of_quorum(state: dict[str, Any]) -> Iterator[Problem]:
    quorum = state["quorum"]
    if not quorum["quorate"]:
        missing = [one["name"] for one in filter(_is_missing, state["members"])]
        yield Problem(
            level="danger",
            what=f"the cluster has no quorum: {quorum['online']} of {quorum['nodes']} nodes are "
            "online",
            todo=f"start {', '.join(missing)}" if missing else state["why_off"],
        )
        return
    if not quorum["may_fail"] and quorum["nodes"] > 1:
        yield Problem(level="warning", what="no node may fail now")
    if not state["ha"]:
        reason, _, todo = state["why_off"].rpartition(": ")
        reason = reason.removesuffix(": switch it on with").removesuffix(": finish it with")
        yield Problem(
            level="warning", what=f"HA is off: {reason or todo}", todo=todo if reason else ""
        )


def _of_guest(guest: dict[str, Any]) -> Iterator[Problem]:
    if guest["state"] == "failed":
        what = f"{guest['kind']} {guest['name']} has failed"
        yield Problem(level="danger", what=what, todo="pcs resource cleanup")


def _is_missing(member: dict[str, Any]) -> bool:
    return bool(member["state"] != "online")


def _of_member(member: dict[str, Any]) -> Problem:
    name, state = member["name"], member["state"]
    if state == "joining":
        return Problem(level="info", what=f"{name} is joining", node=name)
    todo = f"start it; if it is gone for good: slipway cluster remove {name}"
    return Problem(level="danger", what=f"{name} is {state}", todo=todo, node=name)


def _of_links(member: dict[str, Any]) -> Iterator[Problem]:
    name, addresses = member["name"], ", ".join(member["addresses"])
    for link in member["lost_links"]:
        yield Problem(
            level="warning",
            what=f"{name} is not reached on link {link} of {addresses}",
            todo="check cables and switch: once all its links are lost, the node is fenced",
            node=name,
        )


def _of_node(name: str, answer: Answer, state: str) -> Iterator[Problem]:
    if answer.error:
        # Pacemaker has told already of a node that is off.
        if state in ("", "online"):
            yield Problem(level="warning", what=f"{name} {answer.error}", node=name)
        return
    for part in answer.parts.values():
        if part.error:
            yield Problem(level="warning", what=f"{name}: {part.error}", node=name)
    status = value(answer, "status") or {}
    yield from _of_agent(name, status)
    if status.get("clock") == "not synchronized":
        yield Problem(
            level="warning", what=f"{name}: the clock is not synchronized", todo="chronyc sources"
        )
    for storage in (value(answer, "storages") or {}).get("storages", ()):
        yield from _of_storage(name, storage)


def _of_agent(name: str, status: dict[str, Any]) -> Iterator[Problem]:
    """status: a status object; a reason in it may end with a hint, after a hyphen."""
    steps = status.get("steps", {})
    for line in status.get("unmet", ()):
        step, _, reason = line.partition(": ")
        state = steps.get(step, {}).get("state", "")
        if state == "pending":
            # It waits for another, which is named.
            continue
        what, _, hint = reason.partition(" - ")
        yield Problem(
            level="danger" if state == "waiting" or status["stage"] == "failed" else "warning",
            what=f"{name}: {step}: {what}" if reason else f"{name}: {line}",
            todo=hint.removeprefix("run: ").removeprefix("see: "),
            node=name,
        )


def _of_storage(name: str, storage: dict[str, Any]) -> Iterator[Problem]:
    what = f"{name}: the storage {storage['name']}"
    if not storage["in_use"]:
        yield Problem(
            level="warning", what=f"{what} is not in use", todo="slipway status", node=name
        )
        return
    share = storage["used_bytes"] / storage["capacity_bytes"] if storage["capacity_bytes"] else 0
    if share >= FULL:
        yield Problem(
            level="danger" if share >= VERY_FULL else "warning",
            what=f"{what} is {share:.0%} full",
            todo="remove what is not needed, or move disks: guests on a full storage are paused",
            node=name,
        )


def _of_replica(job: dict[str, Any]) -> Iterator[Problem]:
    what = f"replication of {job['guest']} to {job['target']}"
    todo = f"slipway replicate run {job['guest']}"
    if job["error"]:
        yield Problem(level="danger", what=f"{what}: {job['error']}", todo=todo, node=job["source"])
    elif job["age"] is not None and job["age"] > LATE * job["every"]:
        yield Problem(level="warning", what=f"{what} is late", todo=todo, node=job["source"])


def value(answer: Answer, name: str) -> Any:
    """What a command printed; None when it did not."""
    part = answer.parts.get(name)
    return part.value if part else None
