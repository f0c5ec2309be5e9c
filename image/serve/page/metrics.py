"""What Prometheus is told, in its text format 0.0.4."""

from __future__ import annotations

import sqlite3

from image.serve.states import STATES

KIND = "text/plain; version=0.0.4"


def text(db: sqlite3.Connection) -> str:
    """All metrics."""
    states = dict.fromkeys(STATES, 0)
    for row in db.execute("SELECT state, count(*) AS number FROM machines GROUP BY state"):
        states[row["state"]] = row["number"]
    lines = [
        "# HELP slipway_machines Machines in each state.",
        "# TYPE slipway_machines gauge",
        *(f'slipway_machines{{state="{state}"}} {number}' for state, number in states.items()),
        *_counter(db, "answers_served_total", "Answers served to machines.", "served"),
        *_counter(db, "events_total", "Events on record.", "events"),
        *_counter(db, "logs_total", "Logs uploaded by machines.", "logs"),
        "# HELP slipway_install_seconds_sum Seconds from answers to nodes that were ready.",
        "# TYPE slipway_install_seconds summary",
        *_install_seconds(db),
    ]
    return "\n".join(lines) + "\n"


def _counter(db: sqlite3.Connection, name: str, meaning: str, table: str) -> list[str]:
    # The highest number that was given, so that it never goes back.
    number = db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
    return [
        f"# HELP slipway_{name} {meaning}",
        f"# TYPE slipway_{name} counter",
        f"slipway_{name} {number}",
    ]


def _install_seconds(db: sqlite3.Connection) -> list[str]:
    row = db.execute(
        """
        SELECT coalesce(sum(ready.at - begun.at), 0) AS seconds, count(*) AS number
        FROM events AS ready JOIN events AS begun
            ON begun.machine = ready.machine AND begun.attempt = ready.attempt
        WHERE ready.kind = 'ready' AND begun.kind = 'installing'
        """
    ).fetchone()
    return [
        f"slipway_install_seconds_sum {row['seconds']:.3f}",
        f"slipway_install_seconds_count {row['number']}",
    ]
