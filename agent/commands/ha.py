"""`slipway ha`: fencing, and guests that start on another node when theirs fails."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Sequence
from typing import TypeAlias

from agent.cluster import ha, status
from agent.cluster.guests import look as definitions
from agent.cluster.guests.sync import sync
from agent.core.commands import Command, add_explain, explain, perform
from agent.core.errors import SlipwayError
from agent.ha import look, plan
from agent.ha.model import Group, Guest, Listed

Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_parser(commands: Actions) -> None:
    """Add `ha` to the command line."""
    parser = commands.add_parser("ha", help="high availability")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser(
        "enable",
        help="switch fencing on at all members",
        description="Switch fencing by watchdog on at all members, restart the cluster's daemons, "
        "and prove that it works. Refused while guests run under Pacemaker.",
    ).set_defaults(function=enable)
    _add_guests(actions)
    _add_groups(actions)


def _add_guests(actions: Actions) -> None:
    adding = actions.add_parser(
        "add",
        help="put a guest of this node under HA",
        description="Have Pacemaker run a guest of this node, and start it on another one when "
        "this one fails. Refused without fencing, and for disks that no other node has.",
    )
    adding.add_argument("guest", metavar="GUEST")
    adding.add_argument("--group", metavar="GROUP", help="whose priorities say where it runs")
    adding.add_argument(
        "--failback", action="store_true", help="go back to the better node when it returns"
    )
    add_explain(adding)
    adding.set_defaults(function=add)
    removing = actions.add_parser(
        "remove",
        help="take a guest out of HA",
        description="Take a guest out of HA, on the node where it runs. It goes on.",
    )
    removing.add_argument("guest", metavar="GUEST")
    add_explain(removing)
    removing.set_defaults(function=remove)
    listing = actions.add_parser("list", help="show guests under HA, and groups")
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    listing.set_defaults(function=show)


def _add_groups(actions: Actions) -> None:
    groups = actions.add_parser("group", help="nodes with priorities")
    changes = groups.add_subparsers(required=True, metavar="ACTION")
    adding = changes.add_parser(
        "add",
        help="make a group, or give it other nodes",
        description="Make a group, or give one other nodes and priorities: 1 to 999, the highest "
        "comes first.",
    )
    adding.add_argument("name", metavar="NAME")
    adding.add_argument("nodes", metavar="NODE=PRIORITY", nargs="+")
    adding.add_argument("--restricted", action="store_true", help="its guests run nowhere else")
    add_explain(adding)
    adding.set_defaults(function=add_group)
    removing = changes.add_parser("remove", help="give up a group that has no guests")
    removing.add_argument("name", metavar="NAME")
    add_explain(removing)
    removing.set_defaults(function=remove_group)
    listing = changes.add_parser("list", help="show the groups")
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    listing.set_defaults(function=show_groups)


def enable(_options: argparse.Namespace) -> int:
    """Switch HA on and show the result."""
    own = socket.gethostname()
    ha.enable(own)
    state, _ = status.look(own)
    print(status.text(state))
    return 0


def add(options: argparse.Namespace) -> int:
    """Put a guest under HA. Its definition is with all members first."""
    seen = look.situation(socket.gethostname())
    if not options.explain and not seen.why_off:
        sync()
    candidate = look.candidate(options.guest)
    commands = plan.add(candidate, options.group, seen, failback=options.failback)
    return _do(options, commands)


def remove(options: argparse.Namespace) -> int:
    """Take a guest out of HA."""
    seen = look.situation(socket.gethostname())
    key, _ = look.known(options.guest)
    found = look.listed(seen.own)
    node = next((one.node for one in found.guests if one.name == options.guest), None)
    copied = key in definitions.copies()
    removal = plan.remove(key, seen, node=node, copied=copied)
    _do(options, removal.begin)
    if options.explain:
        return _do(options, removal.finish)
    perform(removal.finish, undo=False)
    return 0


def add_group(options: argparse.Namespace) -> int:
    """Make or change a group."""
    group = Group(
        name=options.name, nodes=_priorities(options.nodes), restricted=options.restricted
    )
    return _do(options, plan.set_group(group, look.situation(socket.gethostname())))


def remove_group(options: argparse.Namespace) -> int:
    """Give a group up."""
    return _do(options, plan.remove_group(options.name, look.situation(socket.gethostname())))


def show(options: argparse.Namespace) -> int:
    """Print guests under HA, and groups."""
    found = look.listed(socket.gethostname())
    print(found.model_dump_json(indent=2) if options.json else _text(found))
    return 0


def show_groups(options: argparse.Namespace) -> int:
    """Print the groups."""
    found = look.listed(socket.gethostname())
    if options.json:
        print(found.model_dump_json(indent=2, include={"groups"}))
    else:
        print("\n".join(map(_group_line, found.groups)) or "no groups")
    return 0


def _priorities(words: Sequence[str]) -> dict[str, int]:
    """From NODE=PRIORITY. Raises SlipwayError."""
    found: dict[str, int] = {}
    for word in words:
        node, _, priority = word.partition("=")
        if not priority.isdecimal() or node in found:
            raise SlipwayError(f"{word} is not NODE=PRIORITY, once for each node")
        found[node] = int(priority)
    return found


def _text(found: Listed) -> str:
    lines = ["HA: on" if found.enabled else f"HA: off, {found.why_off}"]
    lines += [_guest_line(one) for one in found.guests] or ["no guests under HA"]
    return "\n".join([*lines, *map(_group_line, found.groups)])


def _guest_line(one: Guest) -> str:
    words = [f"  {one.kind:9} {one.name:24} {one.state:10} {one.node or '-':16}"]
    words += [f"group {one.group}"] if one.group else []
    words += ["fails back"] if one.failback else []
    words += ["wanted stopped"] if one.wanted == "stopped" else []
    return "  ".join(words)


def _group_line(group: Group) -> str:
    order = sorted(group.nodes.items(), key=lambda item: -item[1])
    nodes = " > ".join(f"{node} ({priority})" for node, priority in order)
    return f"  group {group.name}: {nodes}{', nowhere else' if group.restricted else ''}"


def _do(options: argparse.Namespace, commands: Sequence[Command]) -> int:
    if options.explain:
        print(explain(commands))
    else:
        perform(commands)
    return 0
