"""`slipway guest`: the guests of this node, and their definitions in a cluster."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from agent import hypervisor
from agent.cluster.guests.start import give, may_start
from agent.cluster.guests.sync import sync
from agent.containers import look as containers
from agent.core.commands import add_explain, execute
from agent.guests import look, power
from agent.guests.model import Guest, Owned
from agent.replication import refresh as replication


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `guest` to the command line."""
    parser = commands.add_parser("guest", help="virtual machines and containers alike")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add_list(actions)
    _add_power(actions)
    actions.add_parser(
        "sync",
        help="give all members what changed (systemd runs it)",
        description="Give all members the definitions of this node's guests that changed, and ask "
        "for those that are not current here.",
    ).set_defaults(function=run_sync)
    starting = actions.add_parser(
        "may-start",
        help="whether a guest may start here (hooks run it)",
        description="Whether a guest may start on this node: it belongs to it, or Pacemaker starts "
        "it from a current copy, and then it belongs to it. Exit status: 0 when it may, 1 and the "
        "reason when not.",
    )
    starting.add_argument("kind", choices=("vm", "container"))
    starting.add_argument("name", metavar="NAME")
    starting.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="the configuration that a container starts from",
    )
    starting.set_defaults(function=run_may_start)
    giving = actions.add_parser(
        "give",
        help="give a guest of this node to another member (migration runs it)",
        description="Give a guest of this node to another member, which alone writes its "
        "definition then.",
    )
    giving.add_argument("kind", choices=("vm", "container"))
    giving.add_argument("name", metavar="NAME")
    giving.add_argument("node", metavar="NODE")
    giving.set_defaults(function=run_give)


def _add_list(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "list",
        help="show the guests of this node",
        description="Show the guests of this node. With --cluster those of all members, and to "
        "which member each belongs; what they do, only their own member knows.",
    )
    parser.add_argument("--cluster", action="store_true", help="of all members")
    parser.add_argument("--json", action="store_true", help="print an object")
    parser.set_defaults(function=show)


def _add_power(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for action, words in (("start", "start a guest"), ("stop", "shut a guest down")):
        parser = actions.add_parser(
            action,
            help=words,
            description=f"{words.capitalize()}: on this node, or wherever it is when it is under "
            "HA.",
        )
        parser.add_argument("kind", choices=("machine", "container"))
        parser.add_argument("name", metavar="NAME")
        add_explain(parser)
        parser.set_defaults(function=run_power, action=action, force=False)
        if action == "stop":
            parser.add_argument("--force", action="store_true", help="take the power away")


def show(options: argparse.Namespace) -> int:
    """Print guests. Returns the exit status."""
    rows: Sequence[Guest | Owned] = look.owners() if options.cluster else look.guests()
    if options.json:
        print(json.dumps({"guests": [row.model_dump(mode="json") for row in rows]}, indent=2))
        return 0
    for row in rows:
        tail = row.node if isinstance(row, Owned) else f"{row.state:8} {' '.join(row.addresses)}"
        print(f"{row.kind:10} {row.name:24} {tail}".rstrip())
    return 0


def run_power(options: argparse.Namespace) -> int:
    """Start or stop a guest. Raises SlipwayError."""
    resource = power.resource_of(options.kind, options.name)
    # Who is under HA may be anywhere.
    here: Sequence[str] = ()
    if not resource and options.kind == "machine":
        here = [each.name for each in hypervisor.machines()]
    elif not resource:
        here = containers.names()
    commands = power.plan(
        options.action, options.kind, options.name, resource, here, force=options.force
    )
    execute(commands, explain=options.explain)
    return 0


def run_sync(_options: argparse.Namespace) -> int:
    """Do what is needed."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    sync()
    replication.refresh()
    return 0


def run_may_start(options: argparse.Namespace) -> int:
    """Raises SlipwayError with the reason when the guest may not."""
    may_start(options.kind, options.name, options.source)
    return 0


def run_give(options: argparse.Namespace) -> int:
    """Give a guest away."""
    give(options.kind, options.name, options.node)
    return 0
