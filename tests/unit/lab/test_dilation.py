"""Time that passes slower in a machine."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime, timedelta

from tests.lab.dilation import LIBRARY, Dilation, dilated

SINCE = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
NOW = SINCE + timedelta(minutes=8)


def test_machines_that_start_later_have_the_time_of_the_others() -> None:
    assert Dilation(4, SINCE).inside(NOW) == SINCE + timedelta(minutes=2)


def test_the_command() -> None:
    assert dilated(["qemu", "-S"], Dilation(4, SINCE), NOW) == [
        *("env", f"LD_PRELOAD={LIBRARY}", "TZ=UTC", "FAKETIME=@2026-05-01 12:02:00 x0.25"),
        *("qemu", "-S"),
    ]


def test_without_dilation_the_command_stays() -> None:
    assert dilated(["qemu", "-S"], None, NOW) == ["qemu", "-S"]


def test_a_program_has_that_time() -> None:
    """It waits a tenth of a second by its own clock, which is a second around it."""
    look = "import time; print(time.time()); time.sleep(0.1)"
    begin = time.monotonic()
    argv = dilated(["python3", "-c", look], Dilation(10, SINCE), NOW)
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert time.monotonic() - begin >= 1
    assert 0 <= float(said) - (SINCE + timedelta(seconds=48)).timestamp() < 5
