"""`slipway token`: let other nodes join the cluster of this one."""

from __future__ import annotations

import argparse
import datetime
import time

from agent.cluster import tokens
from agent.cluster.cib import Cib
from agent.cluster.duration import duration
from agent.cluster.folder import Folder
from agent.cluster.pcs import Pcsd

LIFETIME = datetime.timedelta(hours=2)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `token` to the command line."""
    parser = commands.add_parser("token", help="let other nodes join this cluster")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    create = actions.add_parser(
        "create",
        help="make a join token",
        description="Make a join token and print it. It is a secret, and good for one node.",
    )
    create.add_argument("--node", metavar="NAME", help="only a node of this name may use it")
    create.add_argument("--ttl", type=duration, default=LIFETIME, help="its life; default: 2h")
    create.add_argument(
        "--replace", action="store_true", help="the node replaces a member of its name that is off"
    )
    create.set_defaults(function=run_create)
    actions.add_parser("list", help="show tokens, without their secrets").set_defaults(
        function=run_list
    )
    revoke = actions.add_parser("revoke", help="make a token useless")
    revoke.add_argument("id", metavar="ID", help="as `slipway token list` shows it")
    revoke.set_defaults(function=run_revoke)


def run_create(options: argparse.Namespace) -> int:
    """Make a token and print it."""
    seconds = options.ttl.total_seconds()
    made = tokens.create(Folder(), Cib(), Pcsd(), seconds, options.node, replace=options.replace)
    print(made.encode())
    return 0


def run_list(_options: argparse.Namespace) -> int:
    """Print a table of the tokens."""
    print(f"{'ID':16}  {'NODE':20}  {'EXPIRES (UTC)':16}  STATE")
    for row in tokens.listed(Cib()):
        expires = time.strftime("%Y-%m-%d %H:%M", time.gmtime(row.expires))
        state = row.state + (", replaces" if row.replace else "")
        print(f"{row.id:16}  {row.node:20}  {expires:16}  {state}")
    return 0


def run_revoke(options: argparse.Namespace) -> int:
    """Make a token useless."""
    tokens.revoke(Cib(), options.id)
    return 0
