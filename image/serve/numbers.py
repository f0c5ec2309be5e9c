"""Counters and address pools: what a machine got once it keeps, and no other ever gets."""

from __future__ import annotations

import sqlite3
from collections.abc import Container
from ipaddress import IPv4Network, ip_network
from itertools import chain

from agent.core.errors import SlipwayError

# A larger number would never be reached, and looks like a mistake.
MAXIMUM = 2**31
# So many addresses of a network are looked at.
MAXIMUM_SEARCHED = 1 << 16


class OutOfNumbers(SlipwayError):
    """A counter or a network has nothing left to give."""


def counter(db: sqlite3.Connection, name: str, machine: int, first: int = 1) -> int:
    """The machine's number of this counter; a new one is one more than the highest so far."""
    if given := _given(db, name, machine):
        return int(given)
    highest = db.execute(
        "SELECT max(CAST(value AS INTEGER)) FROM numbers WHERE counter = ?", (name,)
    ).fetchone()[0]
    value = first if highest is None else max(first, highest + 1)
    if not 0 <= value < MAXIMUM:
        raise OutOfNumbers(f"the counter {name} cannot be {value}")
    _give(db, name, machine, str(value))
    return value


def address(
    db: sqlite3.Connection,
    network: str,
    machine: int,
    first: int = 1,
    reserved: Container[str] = frozenset(),
) -> str:
    """The machine's address in this network, without prefix length.

    first: number of the lowest host; reserved: addresses that are never given.
    """
    pool = ip_network(network)
    name = f"address {pool}"
    if given := _given(db, name, machine):
        return given
    last = pool.num_addresses - (2 if isinstance(pool, IPv4Network) and pool.prefixlen < 31 else 1)
    lowest = max(first, 0)
    # Where the next free one is, unless some were left out or are free again.
    likely = lowest + _count(db, name)
    numbers = chain(
        range(likely, min(last, likely + MAXIMUM_SEARCHED) + 1),
        range(lowest, min(last + 1, likely)),
    )
    for number in numbers:
        candidate = str(pool[number])
        if candidate not in reserved and not _taken(db, name, candidate):
            _give(db, name, machine, candidate)
            return candidate
    raise OutOfNumbers(f"no address of {pool} is free")


def _given(db: sqlite3.Connection, name: str, machine: int) -> str:
    row = db.execute(
        "SELECT value FROM numbers WHERE counter = ? AND machine = ?", (name, machine)
    ).fetchone()
    return str(row["value"]) if row else ""


def _count(db: sqlite3.Connection, name: str) -> int:
    found = db.execute("SELECT count(*) FROM numbers WHERE counter = ?", (name,))
    return int(found.fetchone()[0])


def _give(db: sqlite3.Connection, name: str, machine: int, value: str) -> None:
    db.execute("INSERT INTO numbers VALUES (?, ?, ?)", (name, value, machine))


def _taken(db: sqlite3.Connection, name: str, value: str) -> bool:
    used = db.execute(
        "SELECT 1 FROM numbers WHERE counter = ? AND value = ? "
        "UNION ALL SELECT 1 FROM addresses WHERE address = ?",
        (name, value, value),
    )
    return used.fetchone() is not None
