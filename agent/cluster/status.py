"""The state of the cluster as one object: members, quorum, fencing, HA. Pure but for `look`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.cluster import configuration, credentials, fencing, knet, monitor, quorum, sbd
from agent.cluster.configuration import Configuration
from agent.cluster.credentials import Credentials
from agent.cluster.fencing import Watchdog
from agent.cluster.guests import report
from agent.cluster.guests.report import Guests
from agent.cluster.monitor import View
from agent.cluster.quorum import Votes
from agent.cluster.sbd import Sbd
from agent.cluster.view import device_votes
from agent.core.errors import SlipwayError


class Model(BaseModel):
    """An immutable part of the state."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Member(Model):
    """A node of the cluster. state: "online", "joining", "offline", or "to be fenced";
    lost_links: numbers of the links on which this node does not reach it, while it is online.
    """

    name: str
    id: int
    addresses: tuple[str, ...]
    state: Literal["online", "joining", "offline", "to be fenced"]
    controller: bool
    lost_links: tuple[int, ...] = ()


class Quorum(Model):
    """quorate: this node is in the part that may act; needed: nodes for quorum;
    may_fail: how many of the online nodes may fail now, whichever they are; device: how the quorum
    device votes, server: where it is, device_votes: it does now.
    """

    quorate: bool
    nodes: int
    online: int
    needed: int
    may_fail: int
    device: quorum.Device
    options: tuple[str, ...]
    server: str = ""
    device_votes: bool = False


class Fencing(Model):
    """This node's fencing. watchdog: empty when there is none; times in seconds, 0 when unset."""

    running: bool
    watchdog: str
    hardware: bool
    watchdog_seconds: int
    fencing_seconds: int


class Cluster(Model):
    """Everything. ha: guests of a failed node may start on another; why_off: why they may not."""

    schema_version: Literal[1] = 1
    name: str
    node: str
    running: bool
    members: tuple[Member, ...]
    quorum: Quorum
    fencing: Fencing
    ha: bool
    why_off: str
    advice: tuple[str, ...]
    credentials: Credentials = Credentials()
    guests: Guests = Guests()


def votes(made: Configuration, view: View | None, *, device_votes: bool = False) -> Votes:
    """Who may vote and who does. Without a view nobody is known to be there."""
    online = set(view.online) if view else set()
    return Votes(
        nodes=len(made.nodes),
        online=len([node for node in made.nodes if node.name in online]),
        device=made.device,
        tie_breaker=made.has("auto_tie_breaker"),
        two_node=made.has("two_node"),
        silent=not device_votes,
    )


def why_off(made: Configuration, view: View | None, told: Sbd, watchdog: Watchdog | None) -> str:
    """Why HA is off, with what to do; empty when it is on."""
    if view is None:
        return "the cluster does not run on this node: see journalctl -b -u corosync -u pacemaker"
    if not view.quorate:
        return _no_quorum(made, view)
    if not told.enabled:
        return "fencing is off: switch it on with: slipway ha enable"
    if watchdog is None:
        return "this node has no watchdog, so it cannot be fenced"
    if not told.running:
        return "fencing is set up and sbd does not run: finish it with: slipway ha enable"
    if not told.fencing_seconds:
        return "the members do not wait for a fenced node: finish it with: slipway ha enable"
    return ""


def _no_quorum(made: Configuration, view: View) -> str:
    missing = sorted({node.name for node in made.nodes} - set(view.online))
    said = f"the cluster has no quorum, {', '.join(missing) or 'nobody'} is missing"
    if made.has("wait_for_all") and len(missing) <= len(made.nodes) // 2:
        # After a cold start everybody is waited for once: see docs/cluster.md.
        said += ": after a cold start all members are waited for, or run: pcs quorum unblock"
    return said


def compose(
    made: Configuration,
    view: View | None,
    told: Sbd,
    watchdog: Watchdog | None,
    own: str,
    lost: Mapping[int, tuple[int, ...]] = MappingProxyType({}),
    *,
    device_votes: bool = False,
) -> Cluster:
    """The state, from what was read on this node. lost: links that are down, see knet."""
    counted = votes(made, view, device_votes=device_votes)
    reason = why_off(made, view, told, watchdog)
    return Cluster(
        name=made.cluster_name,
        node=own,
        running=view is not None,
        members=members(made, view, {} if view is None else lost),
        quorum=Quorum(
            quorate=view is not None and view.quorate,
            nodes=counted.nodes,
            online=counted.online,
            needed=quorum.needed(counted),
            may_fail=quorum.may_fail(counted) if view and view.quorate else 0,
            device=counted.device,
            options=tuple(sorted(x for x, value in made.quorum_options.items() if value == "1")),
            server=made.server,
            device_votes=device_votes,
        ),
        fencing=Fencing(
            running=told.running,
            watchdog=str(watchdog or ""),
            hardware=watchdog is not None and watchdog.hardware,
            watchdog_seconds=told.watchdog_seconds,
            fencing_seconds=told.fencing_seconds,
        ),
        ha=not reason,
        why_off=reason,
        advice=tuple(x for x in (quorum.recommended(counted), fencing.warning(watchdog)) if x),
    )


def members(
    made: Configuration, view: View | None, lost: Mapping[int, tuple[int, ...]]
) -> tuple[Member, ...]:
    """All nodes of the configuration, in their order, with what Pacemaker says of them."""
    seen = {node.name: node for node in view.nodes} if view else {}
    return tuple(
        Member(
            name=node.name,
            id=node.nodeid,
            addresses=node.addresses,
            state=(state := _state(seen.get(node.name))),
            controller=view is not None and view.controller == node.name,
            lost_links=lost.get(node.nodeid, ()) if state == "online" else (),
        )
        for node in made.nodes
    )


def _state(
    node: monitor.NodeState | None,
) -> Literal["online", "joining", "offline", "to be fenced"]:
    if node is None:
        return "offline"
    if node.unclean:
        return "to be fenced"
    if node.pending:
        return "joining"
    return "online" if node.online else "offline"


def words(links: tuple[int, ...]) -> str:
    """Links for a person: "link 0", "links 0 and 1"."""
    return f"link{'s' if len(links) > 1 else ''} {' and '.join(map(str, links))}"


def text(state: Cluster) -> str:
    """The state for a person."""
    counted = state.quorum
    lines = [f"cluster {state.name}, seen from {state.node}"]
    for member in state.members:
        leads = "  controller" if member.controller else ""
        addresses = ", ".join(member.addresses)
        down = f"  {words(member.lost_links)} down" if member.lost_links else ""
        lines.append(f"  {member.id:3} {member.name:20} {member.state:12} {addresses}{leads}{down}")
    quorate = "quorate" if counted.quorate else "NO QUORUM"
    lines.append(f"quorum: {quorate}, {counted.online} of {counted.nodes} nodes online")
    if counted.quorate:
        lines.append(f"        {_may_fail(state)}")
    if counted.server:
        says = "votes" if counted.device_votes else "GIVES NO VOTE"
        lines.append(f"quorum device: {counted.server} ({counted.device}), {says}")
    lines.append(f"fencing: {_fencing(state.fencing)}")
    lines.append("HA: on" if state.ha else f"HA: off, {state.why_off}")
    lines += credentials.lines(state.credentials)
    lines += report.lines(state.guests)
    lines += [f"note: {line}" for line in state.advice]
    return "\n".join(lines)


def _may_fail(state: Cluster) -> str:
    counted = state.quorum
    return quorum.words(
        Votes(
            nodes=counted.nodes,
            online=counted.online,
            device=counted.device,
            tie_breaker="auto_tie_breaker" in counted.options,
            two_node="two_node" in counted.options,
            silent=not counted.device_votes,
        )
    )


def _fencing(state: Fencing) -> str:
    device = state.watchdog or "no watchdog"
    if not state.running:
        return f"off; {device}"
    return (
        f"{device}; resets after {state.watchdog_seconds} s, "
        f"counted as reset after {state.fencing_seconds} s"
    )


def look(own: str) -> tuple[Cluster, View | None]:
    """The state as this node sees it, and what Pacemaker said.

    Raises SlipwayError on a node that belongs to no cluster, CommandFailed.
    """
    made = configuration.read()
    if made is None:
        raise SlipwayError(
            "this node belongs to no cluster", hint="join one with: slipway join TOKEN"
        )
    view = monitor.look()
    lost, voting = knet.lost_links(), bool(made.server and view) and device_votes()
    state = compose(made, view, sbd.read(), fencing.present(), own, lost, device_votes=voting)
    read = {"credentials": credentials.read(), "guests": report.read(own)}
    return state.model_copy(update=read), view


def offline(state: Cluster) -> tuple[str, ...]:
    """Names of the members that are not online."""
    return tuple(member.name for member in state.members if member.state != "online")
