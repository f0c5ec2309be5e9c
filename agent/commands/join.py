"""`slipway join`: let this node join a cluster."""

from __future__ import annotations

import argparse
import getpass
import random
import sys
import time
from collections.abc import Callable

from agent import config
from agent.cluster import join, links, local
from agent.cluster.token import Token
from agent.core.errors import SlipwayError
from agent.step import Retry
from agent.systemd import Systemd

# Waits between tries: 1, 2, 4 … 30 seconds, each between half of it and one and a half.
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `join` to the command line."""
    parser = commands.add_parser(
        "join",
        help="let this node join a cluster",
        description="Join the cluster that the token is of. Without a token on the command line, "
        "where every user of the machine can see it, it is asked for or read from standard "
        "input. It is tried until it succeeds; after an interruption the same command, or the "
        "agent at the next start, goes on.",
    )
    parser.add_argument("token", metavar="TOKEN", nargs="?", help="from: slipway token create")
    parser.add_argument(
        "--link",
        action="append",
        metavar="PLACE",
        help="this node's address, network or interface on a link of the cluster, once for each; "
        "default: links of the node's configuration, or the management interface",
    )
    parser.set_defaults(function=run_join)


def run_join(options: argparse.Namespace) -> int:
    """Join, and say each thing before it is done."""
    if (name := join.joined()) and local.configured():
        raise SlipwayError(f"this node is a member of a cluster already, as {name}")
    request = _request(options)
    systemd = Systemd()
    until_done(lambda: join.join(request, systemd, say=_say))
    _say(f"{request.node} is a member of the cluster")
    return 0


def until_done(attempt: Callable[[], None], pause: Callable[[float], None] = time.sleep) -> None:
    """Try again after each Retry, with growing waits. Raises every other error."""
    wait = FIRST_WAIT
    while True:
        try:
            return attempt()
        except Retry as error:
            seconds = wait * random.uniform(0.5, 1.5)
            _say(f"{error.message}; again in {seconds:.0f} s")
            pause(seconds)
            wait = min(2 * wait, LONGEST_WAIT)


def _request(options: argparse.Namespace) -> join.JoinRequest:
    """What to join with: a token that is given, or what was interrupted."""
    interrupted = join.pending()
    word = options.token or _ask(needed=interrupted is None)
    if interrupted and not word.strip():
        return interrupted
    token = Token.decode(word)
    if interrupted and interrupted.token == token:
        return interrupted
    settings = config.load()
    places = options.link or settings.cluster.links or (settings.management_interface,)
    own = links.resolve(places, links.own_addresses())
    return join.JoinRequest(token=token, node=settings.name, links=own)


def _ask(*, needed: bool) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return getpass.getpass("Join token (not shown): ") if needed else ""


def _say(text: str) -> None:
    print(f"slipway join: {text}", flush=True)
