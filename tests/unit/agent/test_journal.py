"""The journal on disk: what is kept, what is left alone, what happens to a damaged one."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.journal import Journal, Record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.json"


def test_an_unknown_step_is_pending(path: Path) -> None:
    assert Journal(path).record("storage") == Record()
    assert Record().state == "pending"


def test_every_change_is_on_disk_at_once(path: Path) -> None:
    journal = Journal(path)
    journal.begin("storage", "abc")
    begun = Journal(path).record("storage")
    assert (begun.state, begun.input, begun.acted, begun.unfinished) == (
        "in progress",
        "abc",
        1,
        True,
    )
    assert begun.started is not None and begun.finished is None
    journal.acted("storage")
    assert not Journal(path).record("storage").unfinished
    journal.done("storage", "abc", 1.23456, 2, "a note")
    done = Journal(path).record("storage")
    assert (done.state, done.seconds, done.attempts, done.reason) == ("done", 1.235, 2, "a note")
    assert done.finished is not None and done.finished >= begun.started


def test_acts_are_counted_over_the_life_of_the_node(path: Path) -> None:
    for _ in range(3):
        Journal(path).begin("storage", "abc")
    assert Journal(path).record("storage").acted == 3


def test_a_step_that_stays_done_keeps_its_record(path: Path) -> None:
    journal = Journal(path)
    journal.begin("storage", "abc")
    journal.done("storage", "abc", 5.0, 1, "")
    before = path.read_bytes()
    journal.done("storage", "abc", 0.1, 1, "")
    assert path.read_bytes() == before
    journal.done("storage", "other input", 0.1, 1, "")
    assert Journal(path).record("storage").input == "other input"


def test_a_failed_try_forgets_neither_the_input_nor_the_interruption(path: Path) -> None:
    journal = Journal(path)
    journal.begin("storage", "abc")
    journal.failed("storage", "failed", 1.0, 3, "no bus")
    record = Journal(path).record("storage")
    assert (record.state, record.reason, record.attempts) == ("failed", "no bus", 3)
    assert (record.input, record.unfinished, record.acted) == ("abc", True, 1)


@pytest.mark.parametrize("content", ["", "{", '{"schema_version": 2, "steps": {}}'])
def test_a_damaged_journal_is_put_aside(path: Path, content: str) -> None:
    path.write_text(content)
    journal = Journal(path)
    assert journal.record("storage") == Record()
    assert path.with_suffix(".damaged").read_text() == content
    journal.begin("storage", "abc")
    assert Journal(path).record("storage").acted == 1


def test_only_root_reads_it(path: Path) -> None:
    Journal(path).begin("storage", "abc")
    assert path.stat().st_mode & 0o077 == 0
