"""Reports of machines: what they post, put on record and applied to their state."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence

from image.serve import machines, news, tokens
from image.serve.machines import Machine
from image.serve.news import BadNews, News

# One post may have so many documents, one a line.
MAXIMUM_DOCUMENTS = 1000
# So many logs are kept of one machine.
LOGS = 10


def parse(body: bytes) -> list[News]:
    """The news in a posted body: one JSON document, or one on each line. Raises BadNews."""
    try:
        documents = _documents(body.decode())
    except (ValueError, RecursionError):
        raise BadNews("the body is not JSON") from None
    if not 1 <= len(documents) <= MAXIMUM_DOCUMENTS:
        raise BadNews(f"a post has 1 to {MAXIMUM_DOCUMENTS} documents")
    return [news.read(document) for document in documents]


def _documents(text: str) -> list[object]:
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def apply(db: sqlite3.Connection, bearer: str, all_news: Sequence[News]) -> None:
    """Put the news on record. Those of an earlier attempt change nothing. Raises WrongToken."""
    token = tokens.check(db, bearer, "events")
    tokens.used(db, token)
    for item in all_news:
        machine = machines.get(db, token.machine)
        if token.attempt == machine.attempt:
            _apply(db, machine, item)
        elif item.text:
            machines.note(db, machine, "late", f"of attempt {token.attempt}: {item.text}")


def _apply(db: sqlite3.Connection, machine: Machine, item: News) -> None:
    if item.log:
        keep_log(db, machine, "installer", item.log)
    if item.started:
        tokens.close(db, machine.id, machine.attempt, "answer")
    moved = machines.advance(db, machine, item.report, item.text) if item.report else machine
    if moved == machine and item.text:
        machines.note(db, machine, "news", item.text)
    if item.step and moved.state != "failed":
        machines.progress(db, moved, item.step, item.percent)


def add_log(db: sqlite3.Connection, bearer: str, source: str, text: str) -> None:
    """Keep a log that a machine uploads. Raises WrongToken."""
    token = tokens.check(db, bearer, "events")
    keep_log(db, machines.get(db, token.machine), source, text)


def keep_log(db: sqlite3.Connection, machine: Machine, source: str, text: str) -> None:
    """Keep a machine's log; of many, the newest."""
    db.execute(
        "INSERT INTO logs (machine, attempt, at, source, text) VALUES (?, ?, ?, ?, ?)",
        (machine.id, machine.attempt, time.time(), source, text),
    )
    db.execute(
        "DELETE FROM logs WHERE machine = ? AND id NOT IN "
        "(SELECT id FROM logs WHERE machine = ? ORDER BY id DESC LIMIT ?)",
        (machine.id, machine.id, LOGS),
    )
