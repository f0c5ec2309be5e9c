"""The state file: a change is whole or not there, and one that fails harms no other."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from image.serve import numbers
from image.serve.store import Store, StoreError


def test_changes_are_there_after_opening_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")
    assert store.change(lambda db: numbers.counter(db, "a", 1)).result(30) == 1
    store.close()
    store = Store(tmp_path / "state.sqlite")
    assert store.change(lambda db: numbers.counter(db, "a", 1)).result(30) == 1
    assert store.change(lambda db: numbers.counter(db, "a", 2)).result(30) == 2
    store.close()
    assert (tmp_path / "state.sqlite").stat().st_mode & 0o777 == 0o600


def test_one_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")

    def fails(db: sqlite3.Connection) -> None:
        numbers.counter(db, "a", 1)
        raise ValueError("no")

    # Held up, so that all three are in one transaction.
    gate = threading.Event()
    held = store.change(lambda db: gate.wait(30))
    failing = store.change(fails)
    good = store.change(lambda db: numbers.counter(db, "a", 2))
    gate.set()
    assert held.result(30)
    with pytest.raises(ValueError):
        failing.result(30)
    assert good.result(30) == 1
    store.close()


def test_another_version(tmp_path: Path) -> None:
    Store(tmp_path / "state.sqlite").close()
    with sqlite3.connect(tmp_path / "state.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="version 99"):
        Store(tmp_path / "state.sqlite")


def test_no_database(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"this is no database file, at all" * 99)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "state.sqlite")


def test_addresses(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")

    def address(machine: int, network: str = "192.0.2.0/29") -> str:
        return store.change(
            lambda db: numbers.address(db, network, machine, 3, {"192.0.2.4"})
        ).result(30)

    assert [address(machine) for machine in (1, 2, 1, 3)] == [
        "192.0.2.3",
        "192.0.2.5",
        "192.0.2.3",
        "192.0.2.6",
    ]
    with pytest.raises(numbers.OutOfNumbers):
        address(4)
    assert address(1, "2001:db8::/64") == "2001:db8::3"
    store.close()
