"""`slipway cluster`: how the cluster is, who belongs to it."""

from __future__ import annotations

import argparse
import socket

from agent.cluster import members, remove, status

# Exit status of `status`: the cluster may act, or it may not.
QUORATE, NOT_QUORATE = 0, 3


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `cluster` to the command line."""
    parser = commands.add_parser("cluster", help="the cluster that this node belongs to")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    shown = actions.add_parser(
        "status",
        help="show members, quorum, fencing and HA",
        description="Show members, quorum, how many nodes may fail now, fencing, and why HA is "
        "off if it is. Exit status: 0 with quorum, 3 without.",
    )
    shown.add_argument("--json", action="store_true", help="print the status object")
    shown.set_defaults(function=show)
    removing = actions.add_parser(
        "remove",
        help="remove a member",
        description="Remove a member, online or dead, revoke its certificate and renew the keys "
        "that it knew. Needs quorum.",
    )
    removing.add_argument("node", metavar="NODE", help="name of the member")
    removing.set_defaults(function=remove_member)
    actions.add_parser(
        "refresh",
        help="take over changes of the members (systemd runs it)",
        description="Bring /etc/hosts and the firewall to the members that there are now.",
    ).set_defaults(function=refresh)


def show(options: argparse.Namespace) -> int:
    """Print the state of the cluster. Returns the exit status."""
    state, _ = status.look(socket.gethostname())
    print(state.model_dump_json(indent=2) if options.json else status.text(state))
    return QUORATE if state.quorum.quorate else NOT_QUORATE


def remove_member(options: argparse.Namespace) -> int:
    """Remove a member and show what is left."""
    own = socket.gethostname()
    state, _ = status.look(own)
    remove.remove(options.node, state)
    left, _ = status.look(own)
    print(status.text(left))
    return 0


def refresh(_options: argparse.Namespace) -> int:
    """Take over changes of the members."""
    members.refresh()
    return 0
