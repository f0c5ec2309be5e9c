"""Switching HA on: fencing for every member, by watchdog, and the proof that it works.

sbd starts and stops with Corosync, so switching it on restarts the cluster's daemons on every
node. That is harmless before guests run under Pacemaker, and refused after: so a cluster that is
created with `ha = true` gets its fencing while it has one node, and every node that joins gets it
from pcs before its daemons start.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Literal

from agent.cluster import fencing, restart, sbd, status
from agent.cluster.sbd import Sbd
from agent.core.command import run
from agent.step import Retry, WaitForOperator

POLL_SECONDS = 2.0

Action = Literal["set up sbd", "restart", "tell the members"]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Situation:
    """What decides about switching HA on. quorate, offline, resources: as Pacemaker says;
    tie_breaker, two_node, nodes, device: as configured.
    """

    told: Sbd
    nodes: int
    quorate: bool
    offline: tuple[str, ...]
    resources: tuple[str, ...]
    tie_breaker: bool
    two_node: bool
    device: bool


def plan(situation: Situation) -> tuple[Action, ...]:
    """What is left to do, in order; nothing when HA is on.

    Raises WaitForOperator for a cluster in which fencing by watchdog would not be safe, or whose
    daemons must not be restarted; Retry while not everybody is there.
    """
    _check_safe(situation)
    told = situation.told
    if told.enabled and told.running:
        return () if told.fencing_seconds else ("tell the members",)
    restart.check(
        quorate=situation.quorate, offline=situation.offline, resources=situation.resources
    )
    begin: tuple[Action, ...] = () if told.enabled else ("set up sbd",)
    return (*begin, "restart", "tell the members")


def _check_safe(situation: Situation) -> None:
    if situation.two_node:
        raise WaitForOperator(
            "two_node lets both halves of a cluster go on, and a watchdog would fence neither",
            hint="use fencing by IPMI or Redfish (pcs stonith create), or a quorum device",
        )
    even = situation.nodes % 2 == 0 and not situation.device
    if even and not situation.tie_breaker:
        raise WaitForOperator(
            "an even number of nodes without a tie breaker stops as a whole when it is halved",
            hint="stop the cluster, then: pcs quorum update auto_tie_breaker=1 wait_for_all=1",
        )


def enable(own: str, expected: int = 0) -> None:
    """Switch HA on. Repeating it after an interruption goes on where it stopped.

    own: this node's name; expected: how many nodes the cluster is going to have, if known.
    Raises Retry and WaitForOperator as `plan`, and SlipwayError on a node without a cluster.
    """
    for action in plan(situation_of(own)):
        log.info("ha: %s", action)
        _do(action, own, expected)
    prove(own)


def situation_of(own: str) -> Situation:
    """What this node sees. Raises SlipwayError when it belongs to no cluster."""
    state, view = status.look(own)
    return Situation(
        told=sbd.read(),
        nodes=state.quorum.nodes,
        quorate=state.quorum.quorate,
        offline=status.offline(state),
        resources=view.resources if view else (),
        tie_breaker="auto_tie_breaker" in state.quorum.options,
        two_node="two_node" in state.quorum.options,
        device=state.quorum.device != "none",
    )


def prove(own: str) -> None:
    """Wait until HA is on as this node sees it. Raises Retry that says why it is not."""
    end = time.monotonic() + restart.START_SECONDS
    while True:
        state, _ = status.look(own)
        if state.ha:
            return
        if time.monotonic() >= end:
            raise Retry(f"HA is off: {state.why_off}")
        time.sleep(POLL_SECONDS)


def _do(action: Action, own: str, expected: int) -> None:
    state, _ = status.look(own)
    times = fencing.timeouts(max(state.quorum.nodes, expected))
    match action:
        case "set up sbd":
            option = f"SBD_WATCHDOG_TIMEOUT={times.watchdog}"
            # Each node has looked at its watchdog itself; pcs' own look can reset a machine.
            run(
                ["pcs", "stonith", "sbd", "enable", option, "--no-watchdog-validation"],
                timeout=restart.SECONDS,
            )
        case "restart":
            for each in (restart.STOP, restart.START):
                run(each.argv, timeout=restart.SECONDS)
            restart.wait_until_online()
        case "tell the members":
            run(
                ["pcs", "property", "set", f"{sbd.PROPERTY}={times.fencing}"],
                timeout=restart.SECONDS,
            )
