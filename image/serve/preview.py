"""What a machine would get: rendered on a copy of the state, so that nothing is given away."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from agent.core.errors import SlipwayError
from image.serve import machines, match
from image.serve.answers import Rendered, render_answer
from image.serve.facts import MAC, Facts
from image.serve.load_site import LoadedSite
from image.serve.machines import Machine
from image.serve.match import Matched
from image.serve.store import SCHEMA

# Stands for the hardware address of a machine that was never seen.
NO_MAC = "00:00:00:00:00:00"


def preview(loaded: LoadedSite, state: Path, name: str) -> tuple[Rendered, Matched]:
    """The answer for a machine: a hardware address, the full name of a node, or the name of a
    `[[machines]]` table. Raises SlipwayError.
    """
    db = _copy(state)
    db.row_factory = sqlite3.Row
    try:
        machine, facts = _find(db, loaded, name)
        matched = match.find(loaded.site, facts)
        return render_answer(db, loaded, matched, machine, facts, None), matched
    finally:
        db.close()


def remarks(loaded: LoadedSite) -> Iterator[str]:
    """What is wrong with the answers of single machines, as far as it shows without them."""
    for table in loaded.site.machines:
        try:
            preview(loaded, Path(), table.name)
        except SlipwayError as error:
            yield f"machine {table.name}: {error}"


def _copy(state: Path) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:")
    if state.is_file():
        with sqlite3.connect(f"file:{state}?mode=ro", uri=True) as source:
            source.backup(copy)
        source.close()
    else:
        copy.executescript(SCHEMA.read_text())
    return copy


def _find(db: sqlite3.Connection, loaded: LoadedSite, name: str) -> tuple[Machine, Facts]:
    known = [x for x in machines.everyone(db) if name.lower() in (*x.macs, x.name, x.fqdn)]
    if known:
        return known[0], _facts(db, known[0])
    for table in loaded.site.machines:
        if table.name == name:
            wanted = table.match
            mac = wanted.mac.lower() if wanted.mac else NO_MAC
            facts = Facts((mac,), wanted.serial or "", (wanted.uuid or "").lower())
            return machines.meet(db, facts, ""), facts
    if MAC.fullmatch(name.lower()):
        facts = Facts((name.lower(),))
        return machines.meet(db, facts, ""), facts
    raise SlipwayError(
        "there is no such machine",
        where=name,
        hint="Give a hardware address, a node's full name, or a name from [[machines]].",
    )


def _facts(db: sqlite3.Connection, machine: Machine) -> Facts:
    row = db.execute("SELECT identity FROM machines WHERE id = ?", (machine.id,)).fetchone()
    identity = json.loads(row["identity"]) if row["identity"] else None
    return Facts(machine.macs, machine.serial, machine.uuid, identity)
