"""`slipway replicate`: disks on ZFS are copied to other members again and again."""

from __future__ import annotations

import argparse
import datetime

from agent.cluster.duration import duration
from agent.core.commands import add_explain
from agent.replication import work
from agent.replication.work import Row

EVERY = datetime.timedelta(minutes=15)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `replicate` to the command line."""
    parser = commands.add_parser("replicate", help="replicas of disks on other members")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    adding = actions.add_parser(
        "add",
        help="replicate a guest of this node again and again",
        description="Copy the disks of a guest to other members again and again: what changed "
        "since the last time. Its disks must be on ZFS, under the same dataset on all of them.",
    )
    adding.add_argument("guest", metavar="GUEST")
    adding.add_argument("nodes", metavar="NODE", nargs="+")
    adding.add_argument(
        "--every", type=duration, default=EVERY, metavar="TIME", help="like 5m or 1h (15m)"
    )
    add_explain(adding)
    adding.set_defaults(function=add)
    for name, function, words in (
        ("remove", remove, "end the replication of a guest; replicas stay"),
        ("run", run_now, "replicate a guest of this node now"),
    ):
        action = actions.add_parser(name, help=words)
        action.add_argument("guest", metavar="GUEST")
        add_explain(action)
        action.set_defaults(function=function)
    listing = actions.add_parser("list", help="show all replicas of the cluster")
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    listing.set_defaults(function=show)


def add(options: argparse.Namespace) -> int:
    """Begin or change a job."""
    every = int(options.every.total_seconds())
    work.add(options.guest, options.nodes, every, show=options.explain)
    return 0


def remove(options: argparse.Namespace) -> int:
    """End a job."""
    work.remove(options.guest, show=options.explain)
    return 0


def run_now(options: argparse.Namespace) -> int:
    """Replicate now."""
    work.run_job(options.guest, show=options.explain)
    return 0


def show(options: argparse.Namespace) -> int:
    """Print every replica."""
    found = work.listed()
    if options.json:
        print(found.model_dump_json(indent=2))
    else:
        print("\n".join(map(_line, found.jobs)) or "nothing is replicated")
    return 0


def _line(row: Row) -> str:
    age = "never" if row.age is None else f"{row.age} s ago"
    words = f"{row.guest:24}  {row.source} > {row.target:16}  every {row.every} s  {age}"
    return f"{words}  failed: {row.error}" if row.error else words
