"""The quorum device: a server that is no member votes where the members are evenly split.

Corosync has no device beside auto_tie_breaker, and with wait_for_all it would wait for the server
too: both go when a device comes, and come back when it goes. As neither can be changed while
Corosync runs, all members restart it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal

from agent.cluster import qdevice_certificates, restart, status, view
from agent.cluster.cib import Cib
from agent.cluster.folder import Folder
from agent.cluster.lock import add_lock
from agent.cluster.pcs import Pcsd
from agent.cluster.status import Cluster
from agent.cluster.wait import wait_until
from agent.core.command import run
from agent.core.commands import Command, command, perform
from agent.core.errors import SlipwayError

HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}")
# Of corosync-qnetd.
PORT = 5403
CONNECT_SECONDS = 10.0
VOTE_SECONDS = 60.0


@dataclass(frozen=True)
class Device:
    """host: address or name of the server; algorithm: how it votes."""

    host: str
    algorithm: Literal["ffsplit", "lms"]

    def __str__(self) -> str:
        return f"{self.host} ({self.algorithm})"


@dataclass(frozen=True)
class Situation:
    """What decides. running: Corosync and Pacemaker run on this node; device, tie_breaker,
    wait_for_all: as configured; members: names and addresses; quorate, offline, resources: as
    Pacemaker says.
    """

    running: bool
    device: Device | None
    tie_breaker: bool
    wait_for_all: bool
    nodes: int
    members: frozenset[str]
    quorate: bool
    offline: tuple[str, ...]
    resources: tuple[str, ...]


def plan_add(wanted: Device, now: Situation) -> tuple[Command, ...]:
    """What is left to do, in order; nothing when the device is in use.

    Raises SlipwayError for a cluster that cannot have it, Retry and WaitForOperator as
    `restart.check`.
    """
    if now.device not in (None, wanted):
        raise SlipwayError(
            f"the cluster has a quorum device already: {now.device}",
            hint="remove it first: slipway cluster qdevice remove",
        )
    changes: list[Command] = []
    if now.device is None:
        _check_new(wanted, now)
        options = (f"host={wanted.host}", f"algorithm={wanted.algorithm}")
        changes.append(command("pcs", "quorum", "device", "add", "model", "net", *options))
    if now.wait_for_all:
        changes.append(command("pcs", "quorum", "update", "wait_for_all=0"))
    return _restarted(changes, now)


def plan_remove(now: Situation) -> tuple[Command, ...]:
    """What is left to do, in order. Raises SlipwayError without a device, and as `plan_add`."""
    changes: list[Command] = []
    if now.device is not None:
        _check_running(now)
        changes.append(command("pcs", "quorum", "device", "remove"))
    if not (now.tie_breaker and now.wait_for_all):
        update = command("pcs", "quorum", "update", "auto_tie_breaker=1", "wait_for_all=1")
        changes.append(update)
    if not changes and now.running:
        raise SlipwayError("the cluster has no quorum device")
    return _restarted(changes, now)


def _check_new(wanted: Device, now: Situation) -> None:
    if not HOST.fullmatch(wanted.host):
        raise SlipwayError(f'"{wanted.host}" is neither a name nor an address')
    if wanted.host in now.members:
        raise SlipwayError(
            f"{wanted.host} is a member, and the device must outlive it",
            hint="run corosync-qnetd on a machine that is not in the cluster",
        )
    if now.nodes < 2:
        raise SlipwayError(
            "a cluster of one node would stop whenever the device does",
            hint="let a second node join first: slipway token create",
        )
    _check_running(now)


def _check_running(now: Situation) -> None:
    if not now.running:
        raise SlipwayError(
            "the cluster does not run on this node", hint="start it: pcs cluster start --all"
        )


def _restarted(changes: list[Command], now: Situation) -> tuple[Command, ...]:
    """The changes, made while Corosync is stopped.

    An interruption may have left it so; where it does run on another member, pcs refuses them.
    """
    if not now.running:
        return (*changes, restart.START)
    if not changes:
        return ()
    # Where all members are there, a device that is silent must not stand in the way.
    quorate = now.quorate or now.device is not None
    restart.check(quorate=quorate, offline=now.offline, resources=now.resources)
    return (restart.STOP, *changes, restart.START)


def situation_of(state: Cluster, resources: tuple[str, ...]) -> Situation:
    """From the cluster's state, and what runs under Pacemaker."""
    quorum = state.quorum
    device = None if quorum.device == "none" else Device(quorum.server, quorum.device)
    return Situation(
        running=state.running,
        device=device,
        tie_breaker="auto_tie_breaker" in quorum.options,
        wait_for_all="wait_for_all" in quorum.options,
        nodes=quorum.nodes,
        members=frozenset(word for one in state.members for word in (one.name, *one.addresses)),
        quorate=quorum.quorate,
        offline=status.offline(state),
        resources=resources,
    )


def look(own: str) -> tuple[Cluster, Situation]:
    """As this node sees it. Raises SlipwayError when it belongs to no cluster."""
    state, seen = status.look(own)
    return state, situation_of(state, seen.resources if seen else ())


def add(wanted: Device, certificates: str, own: str, folder: Folder = Folder()) -> None:
    """Give the cluster the device. After an interruption the same call goes on.

    certificates: see `qdevice_certificates.parse`; own: this node's name. Raises SlipwayError as
    `plan_add`; Retry when the device is set up and gives no vote yet.
    """
    state, now = look(own)
    given = qdevice_certificates.parse(certificates)
    qdevice_certificates.check_cluster(given, state.name)
    commands = plan_add(wanted, now)
    if now.device is None:
        check_reached(wanted.host)
    qdevice_certificates.introduce(Pcsd(), wanted.host)
    folder.write(folder.quorum_device, given.text())
    try:
        _do(commands, state)
    finally:
        folder.quorum_device.unlink(missing_ok=True)
    what = f"the vote of {wanted.host}; the cluster goes on without it"
    wait_until(view.device_votes, VOTE_SECONDS, what)


def remove(own: str) -> None:
    """Take the device away. After an interruption the same call goes on.

    Raises SlipwayError as `plan_remove`.
    """
    state, now = look(own)
    _do(plan_remove(now), state)
    if now.device:
        Pcsd().forget_host(now.device.host)


def check_reached(host: str, port: int = PORT) -> None:
    """Raises SlipwayError when no server answers: a restart of the cluster would be in vain."""
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        raise SlipwayError(
            f"the quorum device's server does not answer: {error}",
            where=f"{host}, TCP port {port}",
            hint="on the server: systemctl status corosync-qnetd",
        ) from error


def _do(commands: tuple[Command, ...], state: Cluster) -> None:
    # No node is added meanwhile; the lock is in the CIB, which is there again when it is let go.
    with add_lock(Cib(), state.node) if state.running else nullcontext():
        perform(commands, _run)
        if commands:
            restart.wait_until_online()


def _run(argv: tuple[str, ...], **options: object) -> object:
    runner: Callable[..., object] = run
    return runner(argv, timeout=restart.SECONDS, **options)
