"""`run` with real programs: output, status, input, time limits, and what errors say."""

from __future__ import annotations

import logging

import pytest

from agent.core.command import run
from agent.core.errors import CommandFailed, CommandTimeout, ToolMissing


def test_output_and_status() -> None:
    result = run(["sh", "-c", "echo out; echo err >&2; exit 3"], check=False)
    assert (result.status, result.stdout, result.stderr) == (3, "out\n", "err\n")


def test_standard_input_is_empty_unless_given() -> None:
    assert run(["cat"]).stdout == ""
    assert run(["cat"], input="text").stdout == "text"
    assert run(["cat"], input=b"\xff").stdout == "\ufffd"


def test_arguments_never_meet_a_shell() -> None:
    assert run(["echo", "$HOME; `id` & 'x'"]).stdout == "$HOME; `id` & 'x'\n"


def test_environment_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    assert "SECRET" not in run(["env"], env={"ADDED": "1"}).stdout
    assert "ADDED=1" in run(["env"], env={"ADDED": "1"}).stdout


def test_failure_carries_the_end_of_the_error_text() -> None:
    with pytest.raises(CommandFailed) as caught:
        run(["sh", "-c", "yes noise | head -c 9000 >&2; echo the reason >&2; exit 4"])
    assert caught.value.status == 4
    assert caught.value.output.endswith("the reason")


def test_failure_by_signal() -> None:
    with pytest.raises(CommandFailed, match="killed by signal 9"):
        run(["sh", "-c", "kill -9 $$"])


def test_lines_are_heard_as_they_come_and_kept_for_the_error() -> None:
    lines: list[str] = []
    with pytest.raises(CommandFailed, match="two"):
        run(["sh", "-c", "echo one; echo two >&2; exit 1"], on_line=lines.append)
    assert sorted(lines) == ["one", "two"]


def test_time_limit() -> None:
    with pytest.raises(CommandTimeout, match="within 0.2 seconds"):
        run(["sleep", "60"], timeout=0.2)


def test_missing_program() -> None:
    with pytest.raises(ToolMissing, match="no-such-program"):
        run(["no-such-program"])


def test_input_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    run(["cat"], input="hunter2")
    assert "hunter2" not in caplog.text
