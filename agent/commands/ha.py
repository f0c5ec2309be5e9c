"""`slipway ha`: fencing, so that guests of a failed node can start on another."""

from __future__ import annotations

import argparse
import socket

from agent.cluster import ha, status


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `ha` to the command line."""
    parser = commands.add_parser("ha", help="high availability")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser(
        "enable",
        help="switch fencing on at all members",
        description="Switch fencing by watchdog on at all members, restart the cluster's daemons, "
        "and prove that it works. Refused while guests run under Pacemaker.",
    ).set_defaults(function=enable)


def enable(_options: argparse.Namespace) -> int:
    """Switch HA on and show the result."""
    own = socket.gethostname()
    ha.enable(own)
    state, _ = status.look(own)
    print(status.text(state))
    return 0
