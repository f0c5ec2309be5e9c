"""What the members know together of replication, as texts in the CIB.

`replica-KEY` is a guest's job, seconds and members: `900:node1,node2`. `replicated-KEY__NODE` is
how it went to one of them: `SOURCE:TIME:BYTES:ERROR`, the time in seconds since 1970, both numbers
of the last success.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

JOB, OUTCOME = "replica-", "replicated-"
_JOB = re.compile(r"([0-9]+):([a-z0-9-]+(?:,[a-z0-9-]+)*)")
_OUTCOME = re.compile(r"([a-z0-9-]*):([0-9]+):([0-9]+):(.*)", re.DOTALL)


@dataclass(frozen=True)
class Job:
    """every: seconds from one run to the next; nodes: the members that keep the disks. Replicas
    go from the one that the guest belongs to, whichever that is, to the others.
    """

    every: int
    nodes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.every}:{','.join(self.nodes)}"

    def targets(self, source: str) -> tuple[str, ...]:
        """Who gets replicas while the guest belongs to the source."""
        return tuple(node for node in self.nodes if node != source)


@dataclass(frozen=True)
class Outcome:
    """How replication to one target went. time: of the last success, seconds since 1970, 0 when
    there was none; bytes: that it sent; error: of a later run that failed.
    """

    source: str
    time: int = 0
    bytes: int = 0
    error: str = ""

    def __str__(self) -> str:
        return f"{self.source}:{self.time}:{self.bytes}:{self.error}"


def jobs(texts: Mapping[str, str]) -> dict[str, Job]:
    """All jobs, by the guests' keys. texts: Slipway's texts in the CIB."""
    return {
        name.removeprefix(JOB): Job(int(match[1]), tuple(match[2].split(",")))
        for name, text in texts.items()
        if name.startswith(JOB) and (match := _JOB.fullmatch(text))
    }


def outcome_name(key: str, node: str) -> str:
    """The name of a text in the CIB. No key contains two underscores."""
    return f"{OUTCOME}{key}__{node}"


def outcomes(texts: Mapping[str, str]) -> dict[tuple[str, str], Outcome]:
    """All outcomes, by guest and target."""
    found = {}
    for name, text in texts.items():
        key, parted, node = name.removeprefix(OUTCOME).rpartition("__")
        if name.startswith(OUTCOME) and parted and (match := _OUTCOME.fullmatch(text)):
            found[key, node] = Outcome(match[1], int(match[2]), int(match[3]), match[4])
    return found


def replicas(texts: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The members that have a replica of each guest with a job, by the guests' keys."""
    made = outcomes(texts)
    return {
        key: frozenset(node for node in job.nodes if (done := made.get((key, node))) and done.time)
        for key, job in jobs(texts).items()
    }
