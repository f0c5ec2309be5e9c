"""Scheduled backups: a service and a timer of systemd for each schedule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from agent.backup.model import check_guest
from agent.core.command import run
from agent.core.commands import Command, command, write_file
from agent.core.errors import CommandFailed, SlipwayError
from agent.core.template import render

UNITS = Path("/etc/systemd/system")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
# Units take "%" and "$" for more than themselves, and split words at blanks.
PLAIN = re.compile(r"[A-Za-z0-9_./:+-]+")


def check_calendar(calendar: str) -> None:
    """Raises SlipwayError unless systemd understands it."""
    try:
        run(["systemd-analyze", "calendar", calendar])
    except CommandFailed as error:
        raise SlipwayError(
            f"this is no time: {calendar!r}", hint='write "daily" or "Mon..Fri 22:30"'
        ) from error


def add(
    name: str, guests: Sequence[str], place: str, keep: int, calendar: str
) -> tuple[Command, ...]:
    """The commands that begin a schedule, or change it. No guests: all. Raises SlipwayError."""
    if not PLAIN.fullmatch(place):
        raise SlipwayError(
            "a schedule's folder has letters, digits and . _ / : + - only", where=place
        )
    words = [*(check_guest(guest) for guest in guests)] or ["--all"]
    arguments = " ".join([*words, "--to", place, "--keep", str(keep)])
    service = render("agent/etc/systemd/system/backup.service", name=name, arguments=arguments)
    timer = render("agent/etc/systemd/system/backup.timer", name=name, calendar=calendar)
    unit = unit_of(name)
    return (
        write_file(UNITS / f"{unit}.service", service, "0644"),
        write_file(UNITS / f"{unit}.timer", timer, "0644"),
        command("systemctl", "daemon-reload"),
        command("systemctl", "enable", f"{unit}.timer"),
        # A timer that runs keeps its old time until it starts again.
        command("systemctl", "restart", f"{unit}.timer"),
    )


def remove(name: str) -> tuple[Command, ...]:
    """The commands that end a schedule. Raises SlipwayError when there is none."""
    unit = unit_of(name)
    if not (UNITS / f"{unit}.timer").exists():
        raise SlipwayError(f"there is no schedule {name}", hint="see: systemctl list-timers")
    return (
        command("systemctl", "disable", "--now", f"{unit}.timer"),
        command("rm", UNITS / f"{unit}.timer", UNITS / f"{unit}.service"),
        command("systemctl", "daemon-reload"),
    )


def unit_of(name: str) -> str:
    """The name of the units, without what follows the dot. Raises SlipwayError."""
    if not NAME.fullmatch(name):
        raise SlipwayError(f"a schedule cannot be called {name!r}", hint="use a-z, 0-9 and -")
    return f"slipway-backup-{name}"
