"""What the page shows of each machine: its record, its last news, and the time per stage."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from image.serve import machines
from image.serve.machines import Machine
from image.serve.states import STATES, Command, State, commands

# What a person has to press in which state: Retry has its own words where a disk is erased.
LABELS: dict[Command, str] = {"approve": "Approve", "retry": "Retry", "hold": "Hold"}
INSTALLED = ("installed", "ready")
# A machine that is under way and says nothing for so long needs a look, in seconds.
SILENT_SECONDS = 900
NO_TIME = 0.5
UNDER_WAY = ("installing", "installed")


@dataclass(frozen=True)
class Stage:
    """How long a machine was, or is, in a state; seconds."""

    state: State
    seconds: float

    @property
    def text(self) -> str:
        """The time in words."""
        return duration(self.seconds)


@dataclass(frozen=True)
class Entry:
    """A machine's history, one line."""

    at: float
    kind: str
    text: str

    @property
    def time(self) -> str:
        """The time of day in UTC, with the date."""
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.at))


@dataclass(frozen=True)
class Row:
    """What is shown of one machine. logs: the numbers of its logs, newest first."""

    machine: Machine
    stages: Sequence[Stage]
    last: Entry | None
    logs: Sequence[int]

    @property
    def silent(self) -> bool:
        """Whether it should have said something since."""
        silence = time.time() - self.machine.changed_at
        return self.machine.state in UNDER_WAY and silence > SILENT_SECONDS

    @property
    def buttons(self) -> list[tuple[Command, str]]:
        """The commands that make sense now, with their labels."""
        again = self.machine.state in INSTALLED
        return [
            (command, "Install again" if again and command == "retry" else LABELS[command])
            for command in commands(self.machine.state)
        ]


def rows(db: sqlite3.Connection) -> list[Row]:
    """All machines, as the page shows them."""
    stages: dict[int, list[Entry]] = {}
    for item in db.execute(
        "SELECT events.machine, at, kind, '' AS text FROM events JOIN machines "
        "ON machines.id = events.machine AND machines.attempt = events.attempt "
        f"WHERE kind IN ({','.join('?' * len(STATES))}) ORDER BY events.id",
        STATES,
    ):
        stages.setdefault(item["machine"], []).append(_entry(item))
    last = {
        item["machine"]: _entry(item)
        for item in db.execute(
            "SELECT machine, at, kind, text FROM events "
            "WHERE id IN (SELECT max(id) FROM events GROUP BY machine)"
        )
    }
    logs: dict[int, list[int]] = {}
    for item in db.execute("SELECT id, machine FROM logs ORDER BY id DESC"):
        logs.setdefault(item["machine"], []).append(item["id"])
    now = time.time()
    return [
        Row(
            machine,
            _stages(machine, stages.get(machine.id, []), now),
            last.get(machine.id),
            logs.get(machine.id, ()),
        )
        for machine in machines.everyone(db)
    ]


def history(db: sqlite3.Connection, machine: Machine, limit: int = 500) -> list[Entry]:
    """What happened to a machine, newest first."""
    found = db.execute(
        "SELECT at, kind, text FROM events WHERE machine = ? ORDER BY id DESC LIMIT ?",
        (machine.id, limit),
    )
    return [_entry(item) for item in found]


def document(row: Row) -> dict[str, object]:
    """A machine as JSON for other programs; times are seconds since 1970."""
    machine = row.machine
    return {
        "id": machine.id,
        "name": machine.name,
        "state": machine.state,
        "boot": machine.boot,
        "attempt": machine.attempt,
        "percent": machine.percent,
        "step": machine.step,
        "reason": machine.reason,
        "fqdn": machine.fqdn,
        "macs": machine.macs,
        "serial": machine.serial,
        "uuid": machine.uuid,
        "seen": machine.seen_at,
        "changed": machine.changed_at,
        "stages": [{"state": x.state, "seconds": round(x.seconds, 3)} for x in row.stages],
        "last": (
            {"time": row.last.at, "kind": row.last.kind, "text": row.last.text}
            if row.last
            else None
        ),
        "logs": [f"/logs/{number}" for number in row.logs],
    }


def duration(seconds: float) -> str:
    """Seconds in words: 42 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def _entry(item: sqlite3.Row) -> Entry:
    return Entry(item["at"], item["kind"], item["text"])


def _stages(machine: Machine, entries: Sequence[Entry], now: float) -> list[Stage]:
    """The time from each state to the next; the last one lasts, unless it is an end."""
    ended = machine.state in ("ready", "failed")
    ends = [entry.at for entry in entries[1:]] + [now]
    spans = [
        Stage(state, max(0.0, end - entry.at))
        for entry, end in zip(entries, ends, strict=True)
        for state in STATES
        if state == entry.kind
    ]
    spans = spans[:-1] if ended else spans
    # The site file approves in no time.
    return [x for x in spans if x.state != "seen" or x.seconds >= NO_TIME]
