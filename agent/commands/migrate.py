"""`slipway migrate`: a guest goes to another member while it runs."""

from __future__ import annotations

import argparse
import socket

from agent.core.commands import add_explain
from agent.migration.work import migrate


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `migrate` to the command line."""
    parser = commands.add_parser(
        "migrate",
        help="move a running virtual machine to another member",
        description="Move a virtual machine to another member while it runs, on its node; one "
        "under HA on any member. Disks that the other node does not reach are copied.",
    )
    parser.add_argument("guest", metavar="GUEST")
    parser.add_argument("node", metavar="NODE")
    add_explain(parser)
    parser.set_defaults(function=run_migrate)


def run_migrate(options: argparse.Namespace) -> int:
    """Move a guest."""
    migrate(options.guest, options.node, socket.gethostname(), show=options.explain)
    return 0
