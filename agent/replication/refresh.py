"""Timers and keys of this member follow the jobs in the CIB and the guests, which may move.

systemd runs it with the synchronization of definitions, whenever the CIB changes.
"""

from __future__ import annotations

import socket

from agent.cluster import configuration
from agent.cluster.cib import Cib
from agent.cluster.guests.model import claims
from agent.cluster.records import Texts
from agent.core.commands import perform
from agent.replication import trust
from agent.replication.model import jobs
from agent.replication.plan import UNIT, UNITS, bring_units, units


def refresh(shared: Texts = Cib()) -> None:
    """Do what is needed. Raises SlipwayError, OSError."""
    own, texts = socket.gethostname(), shared.texts()
    made, all_jobs = configuration.read(), jobs(texts)
    if made is None:
        return
    if any(own in job.nodes for job in all_jobs.values()):
        told = trust.own_keys()
        if texts.get(trust.TRUST + own) != told:
            shared.replace(trust.TRUST + own, told)
        members = {node.name: node.addresses for node in made.nodes}
        trust.write(trust.files(trust.keys(texts), members, own))
    before = {path.name: path.read_text() for path in UNITS.glob(f"{UNIT}*")}
    perform(bring_units(before, units(all_jobs, claims(texts), own)), undo=False)
