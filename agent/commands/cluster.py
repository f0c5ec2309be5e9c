"""`slipway cluster`: how the cluster is, who belongs to it."""

from __future__ import annotations

import argparse
import json
import socket
import sys

from agent.cluster import address, links, members, qdevice, remove, status
from agent.core.commands import add_explain, execute

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
    _add_address(actions)
    _add_qdevice(actions)
    actions.add_parser(
        "refresh",
        help="take over changes of the members (systemd runs it)",
        description="Bring /etc/hosts and the firewall to the members that there are now.",
    ).set_defaults(function=refresh)


def _add_address(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser("address", help="an address that one of the members always has")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    shown = verbs.add_parser("show", help="show it, and which member has it")
    shown.add_argument("--json", action="store_true", help="print an object")
    shown.set_defaults(function=show_address)
    setting = verbs.add_parser(
        "set",
        help="give the cluster an address, or another one",
        description="Have Pacemaker give an address to one of the members, and to another when "
        "that one dies. Needs fencing.",
    )
    setting.add_argument("address", metavar="ADDRESS/PREFIX", help="such as 192.0.2.9/24")
    removing = verbs.add_parser("remove", help="take it away")
    for verb, function in ((setting, set_address), (removing, remove_address)):
        add_explain(verb)
        verb.set_defaults(function=function)


def _add_qdevice(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser("qdevice", help="a server that votes where members are split")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    adding = verbs.add_parser(
        "add",
        help="give the cluster a quorum device",
        description="Have corosync-qnetd on a machine that is no member vote. Its certificates for "
        "this cluster, and their key, are read from standard input; docs/cluster.md says how the "
        "server makes them. Corosync and Pacemaker are restarted on all members; guests outside of "
        "Pacemaker keep running. Refused while resources run under Pacemaker.",
    )
    adding.add_argument("host", metavar="HOST", help="address or name of the server")
    adding.add_argument(
        "--algorithm",
        choices=("ffsplit", "lms"),
        default="ffsplit",
        help="ffsplit: one of two halves gets its vote; lms: a last single node too "
        "(default: %(default)s)",
    )
    adding.set_defaults(function=add_qdevice)
    verbs.add_parser(
        "remove",
        help="take it away",
        description="Take the quorum device away. Corosync and Pacemaker are restarted as by add.",
    ).set_defaults(function=remove_qdevice)


def add_qdevice(options: argparse.Namespace) -> int:
    """Add the quorum device, and show the cluster."""
    own = socket.gethostname()
    qdevice.add(qdevice.Device(options.host, options.algorithm), sys.stdin.read(), own)
    print(status.text(status.look(own)[0]))
    return 0


def remove_qdevice(_options: argparse.Namespace) -> int:
    """Remove the quorum device, and show the cluster."""
    own = socket.gethostname()
    qdevice.remove(own)
    print(status.text(status.look(own)[0]))
    return 0


def show_address(options: argparse.Namespace) -> int:
    """Print the address and who has it. Returns the exit status."""
    found = address.read()
    node = address.holder() if found else ""
    if options.json:
        print(json.dumps({"address": str(found) if found else None, "node": node or None}))
    else:
        print(f"{found}  {node or 'at no member now'}" if found else "no address of its own")
    return 0


def set_address(options: argparse.Namespace) -> int:
    """Set the address. Raises SlipwayError with the reason when it cannot be."""
    wanted = address.parse(options.address)
    state, _ = status.look(socket.gethostname())
    address.check(wanted, state, links.own_addresses())
    execute(address.plan_set(wanted, address.read()), explain=options.explain)
    return 0


def remove_address(options: argparse.Namespace) -> int:
    """Take the address away. Raises SlipwayError when there is none."""
    execute(address.plan_remove(address.read()), explain=options.explain)
    return 0


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
