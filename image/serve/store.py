"""The server's state: one SQLite file that survives a crash at any point.

One thread writes. It takes all changes that wait, does them in one transaction, and answers none
before the transaction is on the disk: so a machine is never told what the server may forget, and
many changes cost one wait for the disk.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from agent.core.errors import SlipwayError

SCHEMA_VERSION = 1
SCHEMA = Path(__file__).with_name("schema.sql")
# So many changes at most share a transaction.
BATCH = 256
BUSY_SECONDS = 30

T = TypeVar("T")
Change = Callable[[sqlite3.Connection], Any]

log = logging.getLogger(__name__)


class StoreError(SlipwayError):
    """The state cannot be read or written."""


class Store:
    """The state file. Changes are functions of a connection, in which they may do anything: what
    raises an error leaves no trace.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises StoreError."""
        self._path = path
        try:
            path.touch(mode=0o600)
            self._reader = self._connect()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the state cannot be opened: {error}", where=str(path)) from None
        self._changes: queue.SimpleQueue[tuple[Change, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="store", daemon=True)
        self._thread.start()

    @property
    def reader(self) -> sqlite3.Connection:
        """A connection for reading, for one thread at a time."""
        return self._reader

    def change(self, change: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Do this change; its result is there when it is on the disk."""
        future: Future[T] = Future()
        self._changes.put((change, future))
        return future

    def close(self) -> None:
        """Finish the changes that wait, and close the file."""
        self._changes.put(None)
        self._thread.join()
        self._reader.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            version = f"PRAGMA user_version = {SCHEMA_VERSION};"
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA.read_text()} {version} COMMIT;")
        elif version != SCHEMA_VERSION:
            raise StoreError(
                f"the state is of version {version}, this server knows {SCHEMA_VERSION}",
                where=str(self._path),
                hint="Use the Slipway that wrote it, or another state folder.",
            )

    def _write(self) -> None:
        connection = self._connect()
        while True:
            batch = self._next_batch()
            waiting = [item for item in batch if item is not None]
            if waiting:
                self._commit(connection, waiting)
            if len(waiting) < len(batch):
                connection.close()
                return

    def _next_batch(self) -> list[tuple[Change, Future[Any]] | None]:
        batch = [self._changes.get()]
        while batch[-1] is not None and len(batch) < BATCH and not self._changes.empty():
            batch.append(self._changes.get())
        return batch

    def _commit(
        self, connection: sqlite3.Connection, batch: list[tuple[Change, Future[Any]]]
    ) -> None:
        """All changes in one transaction; each that fails is undone alone."""
        results: list[tuple[Future[Any], Any, Exception | None]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for change, future in batch:
                results.append((future, *_attempt(connection, change)))
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            log.error("the state cannot be written: %s", error)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            failure = StoreError(f"the state cannot be written: {error}", where=str(self._path))
            results = [(future, None, failure) for _, future in batch]
        for future, result, problem in results:
            if problem is None:
                future.set_result(result)
            else:
                future.set_exception(problem)


def _attempt(connection: sqlite3.Connection, change: Change) -> tuple[Any, Exception | None]:
    connection.execute("SAVEPOINT change")
    try:
        result, problem = change(connection), None
    except sqlite3.OperationalError:
        # Of the file itself, such as a full disk: the transaction is lost as a whole.
        raise
    except Exception as error:
        connection.execute("ROLLBACK TO change")
        result, problem = None, error
    connection.execute("RELEASE change")
    return result, problem
