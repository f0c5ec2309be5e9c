"""`slipway backup run|list|restore|schedule`."""

from __future__ import annotations

import argparse

from agent.backup import schedule, work
from agent.backup.model import backups_in
from agent.core.commands import add_explain, explain, perform
from agent.core.errors import SlipwayError

KEEP = 7
PLACE = "a folder, or the name of a storage"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `backup` to the command line."""
    backup = commands.add_parser("backup", help="backups of guests")
    actions = backup.add_subparsers(required=True, metavar="ACTION")
    run = actions.add_parser("run", help="back guests up now, while they run")
    run.add_argument("guests", metavar="GUEST", nargs="*")
    run.add_argument("--all", action="store_true", help="every guest of the node")
    _add_target(run)
    run.set_defaults(function=run_run)
    listing = actions.add_parser("list", help="the backups in a place")
    listing.add_argument("--from", dest="place", metavar="PLACE", required=True, help=PLACE)
    listing.set_defaults(function=run_list)
    restore = actions.add_parser("restore", help="bring a guest back")
    restore.add_argument("guest", metavar="GUEST")
    restore.add_argument("--from", dest="place", metavar="PLACE", required=True, help=PLACE)
    restore.add_argument("--time", help="of the backup, as `list` shows it; default: the newest")
    restore.add_argument("--as", dest="name", metavar="NAME", help="name of the restored guest")
    add_explain(restore)
    restore.set_defaults(function=run_restore)
    timed = actions.add_parser("schedule", help="back guests up again and again")
    timed.add_argument("name", metavar="NAME", help="name of the schedule")
    timed.add_argument("guests", metavar="GUEST", nargs="*", help="default: every guest")
    timed.add_argument("--on", metavar="TIME", help='systemd.time(7): "daily", "Sat 03:00"')
    timed.add_argument("--remove", action="store_true", help="end the schedule")
    _add_target(timed, required=False)
    timed.set_defaults(function=run_schedule)


def _add_target(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument("--to", dest="place", metavar="PLACE", required=required, help=PLACE)
    parser.add_argument(
        "--keep",
        type=_positive,
        default=KEEP,
        metavar="N",
        help=f"backups of each guest that stay, {KEEP} by default",
    )
    add_explain(parser)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def run_run(options: argparse.Namespace) -> int:
    """Back up; the exit status is 1 when any guest's backup failed."""
    if bool(options.guests) is options.all:
        raise SlipwayError("name the guests, or give --all")
    names = options.guests or sorted(work.guests())
    place = work.place_of(options.place)
    failed = work.run_backups(names, place, options.keep, show=options.explain)
    if failed:
        raise SlipwayError("\n".join(failed))
    return 0


def run_list(options: argparse.Namespace) -> int:
    """Show every complete backup."""
    for backup in backups_in(work.place_of(options.place)):
        print(f"{backup.kind:9}  {backup.time}  {backup.guest}")
    return 0


def run_restore(options: argparse.Namespace) -> int:
    """Restore a guest; it is not started."""
    place = work.place_of(options.place)
    name = options.name or options.guest
    work.restore(options.guest, place, options.time, name, show=options.explain)
    return 0


def run_schedule(options: argparse.Namespace) -> int:
    """Begin, change or end a schedule."""
    if options.remove:
        commands = schedule.remove(options.name)
    else:
        if not options.on or not options.place:
            raise SlipwayError("a schedule needs --on and --to")
        schedule.check_calendar(options.on)
        work.place_of(options.place)
        commands = schedule.add(
            options.name, options.guests, options.place, options.keep, options.on
        )
    if options.explain:
        print(explain(commands))
    else:
        perform(commands)
    return 0
