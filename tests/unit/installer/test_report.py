"""Events and their words."""

from __future__ import annotations

import pytest

from agent.core.errors import SlipwayError
from installer.report import Event, Report, line


def test_a_step_tells_begin_progress_and_end() -> None:
    events: list[Event] = []
    with Report([events.append]).step("unpack") as progress:
        for done in range(0, 101):
            progress(done * 1_000_000, 100_000_000)
    phases = [event.phase for event in events]
    assert phases[0] == "start" and phases[-1] == "finish"
    assert phases.count("progress") == 11
    assert line(events[-2]) == "unpack: 100 of 100 MB, 100 %"


def test_a_failed_step_has_no_end() -> None:
    events: list[Event] = []
    with pytest.raises(SlipwayError):
        with Report([events.append]).step("unpack"):
            raise SlipwayError("no")
    assert [event.phase for event in events] == ["start"]


def test_a_failure_says_where_and_what_to_do() -> None:
    events: list[Event] = []
    Report([events.append]).failure(SlipwayError("broken", where="/dev/sda", hint="replace it"))
    assert line(events[0]) == "failed: /dev/sda: broken\n  replace it"
