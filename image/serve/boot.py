"""What a machine that starts from the network is told: install, start from disk, or wait."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pydantic import SecretStr

from image.serve import machines, match, tokens
from image.serve.facts import Facts
from image.serve.load_site import LoadedSite
from image.serve.machines import Machine
from image.serve.match import Ambiguous, Matched
from image.serve.site import Approval, Group, Site
from image.serve.states import Boot

RESTARTED = "restarted before it told that it is installed; its disk decides"


@dataclass(frozen=True)
class Decision:
    """The tokens are there only where it is to install."""

    machine: Machine
    boot: Boot
    answer_token: SecretStr = SecretStr("")
    events_token: SecretStr = SecretStr("")


def decide(db: sqlite3.Connection, loaded: LoadedSite, facts: Facts, client: str) -> Decision:
    """Note that the machine asks, and decide."""
    machine = machines.meet(db, facts, client)
    if machine.state == "installing":
        return _plain(machines.advance(db, machine, "restarted", RESTARTED))
    boot = machine.boot
    if machine.state == "seen":
        machine, boot = _new(db, loaded.site, machine, facts)
    if boot != "install":
        return Decision(machine, boot)
    return Decision(
        machine,
        boot,
        SecretStr(tokens.issue(db, machine, "answer")),
        SecretStr(tokens.issue(db, machine, "events")),
    )


def _plain(machine: Machine) -> Decision:
    return Decision(machine, machine.boot)


def _new(
    db: sqlite3.Connection, site: Site, machine: Machine, facts: Facts
) -> tuple[Machine, Boot]:
    """A machine that nobody has decided about."""
    try:
        approval = approved(site, match.find(site, facts), facts)
    except Ambiguous as error:
        machines.explain(db, machine, error.message)
        return machines.get(db, machine.id), "hold"
    if approval:
        machine = machines.advance(db, machine, "approve", "approved by the site file")
        return machine, machine.boot
    # Only its installer can tell whether it is one of those that may install.
    return machine, "install" if approval is None else "hold"


def approved(site: Site, matched: Matched, facts: Facts) -> bool | None:
    """Whether the site file lets the machine install; None if more facts may do so."""
    policy = _policy(site, matched.group)
    if policy == "on-sight" or (policy == "listed" and matched.machine):
        return True
    open_policies = {
        _policy(site, group) for group in site.groups if match.holds(group.match, facts) is None
    }
    open_machine = any(match.holds(x.match, facts) is None for x in site.machines)
    perhaps = "on-sight" in open_policies or (open_machine and "listed" in {policy, *open_policies})
    return None if perhaps else False


def _policy(site: Site, group: Group | None) -> Approval:
    return (group.approve if group else None) or site.server.approve
