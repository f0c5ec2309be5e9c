"""`slipway guest`: definitions of guests in a cluster. systemd, libvirt and LXC run it."""

from __future__ import annotations

import argparse
import logging
import sys

from agent.cluster.guests.start import may_start
from agent.cluster.guests.sync import sync


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `guest` to the command line."""
    parser = commands.add_parser("guest", help="definitions of guests in a cluster")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
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
    starting.set_defaults(function=run_may_start)


def run_sync(_options: argparse.Namespace) -> int:
    """Do what is needed."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    sync()
    return 0


def run_may_start(options: argparse.Namespace) -> int:
    """Raises SlipwayError with the reason when the guest may not."""
    may_start(options.kind, options.name)
    return 0
