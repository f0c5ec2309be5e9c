"""The records of machines: found by their hardware addresses, moved by the table of states.

All functions work in the transaction of their caller.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass

from agent.core.errors import SlipwayError
from image.serve import states
from image.serve.facts import Facts
from image.serve.states import Boot, Standing, State

# Whoever reaches the server can ask for any number of hardware addresses. So many machines may be
# new; a rack that is switched on at once is smaller.
MAXIMUM_NEW = 20_000
# What a machine says about itself is kept up to this length.
TEXT_CHARACTERS = 2000

log = logging.getLogger(__name__)


class NoMachine(SlipwayError):
    """There is no machine of this number or name."""


@dataclass(frozen=True)
class Machine:
    """One record. site_machine: the table of the site file that it got its answer by."""

    id: int
    state: State
    boot: Boot
    attempt: int
    site_machine: str | None
    fqdn: str | None
    serial: str
    uuid: str
    macs: tuple[str, ...]
    step: str
    percent: int
    reason: str
    seen_at: float
    changed_at: float
    address: str

    @property
    def standing(self) -> Standing:
        """Its place in the table of states."""
        return Standing(self.state, self.boot)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.fqdn or self.site_machine or self.macs[0]


COLUMNS = """
    SELECT id, state, boot, attempt, site_machine, fqdn, serial, uuid, step, percent, reason,
        seen_at, changed_at, address,
        (SELECT group_concat(mac, ' ') FROM macs WHERE macs.machine = machines.id) AS macs
    FROM machines
"""


def _machine(row: sqlite3.Row) -> Machine:
    fields = dict(row)
    return Machine(**{**fields, "macs": tuple((fields["macs"] or "").split())})


def get(db: sqlite3.Connection, number: int) -> Machine:
    """One machine. Raises NoMachine."""
    row = db.execute(f"{COLUMNS} WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise NoMachine("there is no such machine")
    return _machine(row)


def everyone(db: sqlite3.Connection) -> list[Machine]:
    """All machines, failed ones first, then those that wait for a person."""
    order = "CASE state WHEN 'failed' THEN 0 WHEN 'seen' THEN 1 WHEN 'held' THEN 2 ELSE 3 END"
    return [_machine(row) for row in db.execute(f"{COLUMNS} ORDER BY {order}, fqdn, id")]


def owners(db: sqlite3.Connection, macs: Iterable[str]) -> list[Machine]:
    """All machines that have one of these hardware addresses, oldest first."""
    found = set()
    for mac in macs:
        row = db.execute("SELECT machine FROM macs WHERE mac = ?", (mac,)).fetchone()
        found |= {row["machine"]} if row else set()
    return [get(db, number) for number in sorted(found)]


def meet(db: sqlite3.Connection, facts: Facts, client: str) -> Machine:
    """The machine with this hardware address; a new one if it was never seen."""
    known = owners(db, facts.macs)
    if known:
        learn(db, known[0], facts)
        return get(db, known[0].id)
    _make_room(db)
    now = time.time()
    number = db.execute(
        "INSERT INTO machines (state, boot, address, seen_at, changed_at) VALUES (?, ?, ?, ?, ?)",
        (states.NEW.state, states.NEW.boot, client, now, now),
    ).lastrowid
    assert number is not None
    machine = get(db, number)
    learn(db, machine, facts)
    note(db, machine, "seen", f"seen for the first time, at {client}")
    return get(db, number)


def _make_room(db: sqlite3.Connection) -> None:
    """Forget the oldest machine that never got an answer, where there are too many. If it is a
    real one it asks again.
    """
    new = "FROM machines WHERE state IN ('seen', 'approved') AND attempt = 1"
    if db.execute(f"SELECT count(*) {new}").fetchone()[0] < MAXIMUM_NEW:
        return
    row = db.execute(f"SELECT id {new} ORDER BY state = 'approved', id LIMIT 1").fetchone()
    oldest = get(db, row["id"])
    forget(db, oldest)
    log.warning("too many new machines: %s is forgotten, which was %s", oldest.name, oldest.state)


def learn(db: sqlite3.Connection, machine: Machine, facts: Facts) -> None:
    """Keep what the machine says about itself."""
    for mac in facts.macs:
        db.execute(
            "INSERT INTO macs VALUES (?, ?) ON CONFLICT (mac) DO UPDATE SET machine = ?2",
            (mac, machine.id),
        )
    db.execute(
        "UPDATE machines SET serial = coalesce(nullif(?1, ''), serial), "
        "uuid = coalesce(nullif(?2, ''), uuid) WHERE id = ?3",
        (facts.serial, facts.uuid, machine.id),
    )


def absorb(db: sqlite3.Connection, machine: Machine, other: Machine) -> None:
    """The two records are of one machine, and the other one has no history of installing."""
    db.execute("UPDATE macs SET machine = ? WHERE machine = ?", (machine.id, other.id))
    db.execute("DELETE FROM machines WHERE id = ?", (other.id,))


def forget(db: sqlite3.Connection, machine: Machine) -> None:
    """The machine is gone for ever: its name is free again. Raises states.Refused."""
    if machine.state == "installing":
        raise states.Refused("a machine that is installing cannot be forgotten")
    db.execute("DELETE FROM machines WHERE id = ?", (machine.id,))


def advance(db: sqlite3.Connection, machine: Machine, what: states.Input, text: str) -> Machine:
    """Apply an input to the machine. Raises states.Refused."""
    new = states.after(machine.standing, what)
    if new == machine.standing:
        return machine
    attempt = machine.attempt + (what == "retry")
    # A percentage belongs to the way it was reached on; a failure shows how far it came.
    percent = {"approved": 0, "installing": 0, "ready": 100}.get(new.state, machine.percent)
    reason = text if new.state == "failed" else ""
    db.execute(
        "UPDATE machines SET state = ?, boot = ?, attempt = ?, percent = ?, reason = ?, step = '', "
        "changed_at = ? WHERE id = ?",
        (new.state, new.boot, attempt, percent, reason, time.time(), machine.id),
    )
    moved = get(db, machine.id)
    note(db, moved, new.state, text)
    return moved


def progress(db: sqlite3.Connection, machine: Machine, step: str, percent: int) -> None:
    """Keep how far a machine is; it never goes back within an attempt."""
    db.execute(
        "UPDATE machines SET step = ?, percent = max(percent, ?), changed_at = ? WHERE id = ?",
        (step[:TEXT_CHARACTERS], percent, time.time(), machine.id),
    )


def explain(db: sqlite3.Connection, machine: Machine, reason: str) -> None:
    """Keep why a machine does not get what it asks for; told once, however often it asks."""
    if machine.reason != reason:
        db.execute(
            "UPDATE machines SET reason = ?, changed_at = ? WHERE id = ?",
            (reason[:TEXT_CHARACTERS], time.time(), machine.id),
        )
        if reason:
            note(db, machine, "refused", reason)


def note(db: sqlite3.Connection, machine: Machine, kind: str, text: str) -> None:
    """Add to the machine's history."""
    db.execute(
        "INSERT INTO events (machine, attempt, at, kind, text) VALUES (?, ?, ?, ?, ?)",
        (machine.id, machine.attempt, time.time(), kind, text[:TEXT_CHARACTERS]),
    )
