"""Events, their order, and their words."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from agent.core.consoles import Consoles
from agent.core.errors import SlipwayError
from installer.report.events import Event, Report
from installer.report.lines import ToConsoles, line, to_log


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def report(events: list[Event]) -> Report:
    return Report([events.append])


def test_a_step_tells_begin_progress_and_end(report: Report, events: list[Event]) -> None:
    with report.step("unpack") as progress:
        for done in range(0, 101):
            progress(done * 1_000_000, 100_000_000)
    phases = [event.phase for event in events]
    assert phases[0] == "start" and phases[-1] == "finish"
    assert phases.count("progress") == 11
    assert line(events[-2]) == "unpack: 100 of 100 MB, 100 %"
    assert line(events[-1]).startswith("unpack: done in ")


def test_steps_are_within_steps(report: Report, events: list[Event]) -> None:
    with report.step("installation"):
        with report.step("unpack"):
            report.message("slow disk")
        with report.step("boot loader"):
            pass
    assert [(event.phase, event.path) for event in events] == [
        ("start", ("installation",)),
        ("start", ("installation", "unpack")),
        ("message", ("installation", "unpack")),
        ("finish", ("installation", "unpack")),
        ("start", ("installation", "boot loader")),
        ("finish", ("installation", "boot loader")),
        ("finish", ("installation",)),
    ]
    assert {event.result for event in events if event.phase == "finish"} == {"success"}
    assert events[-1].seconds >= events[3].seconds + events[5].seconds > 0


def test_a_failure_ends_every_step_around_it(report: Report, events: list[Event]) -> None:
    with pytest.raises(SlipwayError):
        with report.step("installation"), report.step("unpack"):
            raise SlipwayError("no")
    report.message("the end")
    assert [(event.phase, event.path, event.result) for event in events[2:]] == [
        ("finish", ("installation", "unpack"), "failure"),
        ("finish", ("installation",), "failure"),
        ("message", (), ""),
    ]


def test_a_failure_says_where_and_what_to_do(report: Report, events: list[Event]) -> None:
    report.failure(SlipwayError("broken", where="/dev/sda", hint="replace it"))
    assert line(events[0]) == "failed: /dev/sda: broken\n  replace it"


def test_a_listener_that_fails_keeps_nothing_up(
    events: list[Event], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        raise ValueError("no")

    with Report([broken, events.append]).step("unpack"):
        pass
    assert [event.phase for event in events] == ["start", "finish"]
    assert "an event could not be told" in caplog.text


def test_the_json_form_is_the_whole_event(report: Report, events: list[Event]) -> None:
    with report.step("unpack"):
        pass
    assert Event.model_validate_json(events[1].model_dump_json()) == events[1]


def test_log_has_every_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    report = Report([to_log])
    with pytest.raises(SlipwayError), report.step("unpack"):
        raise SlipwayError("no")
    report.failure(SlipwayError("no"))
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO", "ERROR"]
    assert caplog.messages[0] == "unpack ..."
    assert caplog.messages[1].startswith("unpack: failed after ")


def test_consoles_show_what_is_new(tmp_path: Path) -> None:
    (tmp_path / "active").write_text("ttyS0\n")
    os.mkfifo(tmp_path / "ttyS0")
    reader = os.open(tmp_path / "ttyS0", os.O_RDONLY | os.O_NONBLOCK)
    report = Report([ToConsoles(Consoles(tmp_path / "active", tmp_path))])
    with pytest.raises(SlipwayError), report.step("unpack"):
        report.message("slow disk")
        raise SlipwayError("no", hint="try again")
    report.failure(SlipwayError("no", hint="try again"))
    shown = os.read(reader, 1000).decode()
    os.close(reader)
    assert shown == (
        "slipway-installer: slow disk\r\nslipway-installer: failed: no\r\n  try again\r\n"
    )
