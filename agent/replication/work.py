"""Replication is set up, run and shown: looks, plans, and runs the plan."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from agent import config
from agent.cluster.cib import Cib
from agent.cluster.guests import look as definitions
from agent.cluster.guests.model import claims, copy_of, guest
from agent.cluster.records import Texts
from agent.config import Zfs
from agent.containers import look as containers
from agent.containers.model import folder_of
from agent.containers.plan import RECORD
from agent.core.command import run
from agent.core.commands import Command, explain
from agent.core.errors import SlipwayError
from agent.ha import look as ha
from agent.ha.plan import places
from agent.replication import plan
from agent.replication.lock import alone
from agent.replication.model import JOB, Job, Outcome, jobs, outcome_name, outcomes
from agent.replication.plan import Cluster, Disks
from agent.replication.refresh import refresh
from agent.storages.disks import disks_of

# An attribute in the CIB, and a line for a person.
ERROR_CHARACTERS = 300


class Row(BaseModel):
    """One replica. every, age: seconds; last: of the last success, ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    guest: str
    source: str
    target: str
    every: int
    last: str | None
    age: int | None
    bytes: int | None
    error: str


class Listed(BaseModel):
    """What `slipway replicate list` shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jobs: tuple[Row, ...]


def cluster(own: str) -> Cluster:
    """What decides about jobs. Raises SlipwayError without quorum."""
    seen = ha.situation(own)
    return Cluster(
        own=own,
        members=seen.members,
        jobs=jobs(Cib().texts()),
        needed={
            key: frozenset(places(seen.groups.get(one.group or ""), seen))
            for key, one in seen.resources.items()
            if one.local
        },
    )


def disks(name: str) -> Disks:
    """The disks of a guest. Raises SlipwayError when the cluster knows none of this name."""
    key, claim = ha.known(name)
    kind, plain = guest(key)
    if claim.node != socket.gethostname():
        return Disks(key, claim)
    if kind == "vm":
        text = definitions.definitions().get(key) or copy_of(key).read_text()
        return plan.disks(key, claim, disks_of(text, ha.storages()))
    # Its record stays where it was made; on another node its disk is where the node's own are.
    made_here = (folder_of(plain) / RECORD).exists()
    storage = containers.see(plain).record.storage if made_here else config.load().storage
    if isinstance(storage, Zfs):
        return Disks(key, claim, (f"{storage.dataset}/container-{plain}",))
    return Disks(key, claim, others=(f"the container's files ({storage.kind})",))


def add(name: str, nodes: Sequence[str], every: int, *, show: bool, shared: Texts = Cib()) -> None:
    """Begin or change a job. Raises SlipwayError."""
    own = socket.gethostname()
    what, here = disks(name), cluster(own)
    made = plan.job(what, nodes, every, here)
    if show:
        units = plan.units({what.key: made}, {what.key: what.claim}, own)
        print(explain((*plan.bring_units({}, units), *_copies(what, made, own))))
        return
    shared.replace(JOB + what.key, str(made))
    _forget(what.key, here.jobs.get(what.key), made, shared)
    refresh()


def remove(name: str, *, show: bool, shared: Texts = Cib()) -> None:
    """End a job. Replicas stay where they are. Raises SlipwayError."""
    own = socket.gethostname()
    key, claim = ha.known(name)
    here = cluster(own)
    job = plan.check_removal(key, here)
    if show:
        print(explain(plan.bring_units(plan.units({key: job}, {key: claim}, own), {})))
        return
    shared.delete(JOB + key)
    _forget(key, job, None, shared)
    refresh()


def _forget(key: str, before: Job | None, after: Job | None, shared: Texts) -> None:
    """Delete what is known of replicas that are not kept up any more."""
    kept = after.nodes if after else ()
    for node in before.nodes if before else ():
        if node not in kept:
            shared.delete(outcome_name(key, node))


def run_job(name: str, *, show: bool) -> None:
    """Replicate now, to every target. Raises SlipwayError that names those that failed."""
    own = socket.gethostname()
    key, _ = ha.known(name)
    # A schedule that comes due while somebody runs it by hand waits. The guest may move meanwhile.
    with nullcontext() if show else alone(key):
        what, here = disks(name), cluster(own)
        job = plan.check_run(what, here, ha.place(what.key))
        if show:
            print(explain(_copies(what, job, own)))
            return
        failed = [line for node in job.targets(own) if (line := _replicate(what, node, own, Cib()))]
    if failed:
        raise SlipwayError("\n".join(failed))


def _copies(what: Disks, job: Job, own: str) -> list[Command]:
    return [each for node in job.targets(own) for each in plan.copy(what, node)]


def _replicate(what: Disks, node: str, own: str, shared: Texts) -> str:
    """Replicate to one target and keep how it went; gives a line when it failed."""
    last = outcomes(shared.texts()).get((what.key, node), Outcome(own))
    begin, sent = int(time.time()), 0
    try:
        for each in plan.copy(what, node):
            done = run(each.argv)
            sent += plan.sent(done.stdout + done.stderr)
    except SlipwayError as error:
        text = " ".join(str(error.hint or error).split())[-ERROR_CHARACTERS:]
        shared.replace(outcome_name(what.key, node), str(replace(last, source=own, error=text)))
        return f"{guest(what.key)[1]}: not replicated to {node}: {text}"
    # What was written since the run began may be in no replica.
    shared.replace(outcome_name(what.key, node), str(Outcome(own, begin, sent)))
    return ""


def listed(shared: Texts = Cib()) -> Listed:
    """Every replica of the cluster."""
    texts = shared.texts()
    owners, known = claims(texts), outcomes(texts)
    return Listed(
        jobs=tuple(
            _row(key, job, owners[key].node, target, known.get((key, target)))
            for key, job in sorted(jobs(texts).items())
            if key in owners
            for target in job.targets(owners[key].node)
        )
    )


def _row(key: str, job: Job, source: str, target: str, outcome: Outcome | None) -> Row:
    done = outcome if outcome and outcome.time else None
    return Row(
        guest=guest(key)[1],
        source=source,
        target=target,
        every=job.every,
        last=datetime.fromtimestamp(done.time, UTC).isoformat() if done else None,
        age=max(int(time.time()) - done.time, 0) if done else None,
        bytes=done.bytes if done else None,
        error=outcome.error if outcome else "",
    )
