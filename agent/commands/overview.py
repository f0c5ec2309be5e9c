"""`slipway overview`: the whole cluster, as the page shows it."""

from __future__ import annotations

import argparse
import socket
from functools import partial
from pathlib import Path

from agent.core.errors import SlipwayError
from agent.overview import parts, server
from agent.overview.ask import Watch
from agent.overview.model import Overview, Part, Subject

# systemd gives the listening socket as this file descriptor: see sd_listen_fds(3).
FIRST_SOCKET = 3
# systemd makes it when the server starts, and removes it when it ends.
FOLDER = Path("/run/slipway-overview")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `overview` to the command line."""
    parser = commands.add_parser(
        "overview",
        help="show the whole cluster: every node, and what is wrong",
        description="Ask every member what only it knows, and show all of it: what is wrong, and "
        "what to do. Exit status: 0, or 3 when something needs a person.",
    )
    parser.add_argument("--json", action="store_true", help="print an object")
    parser.add_argument(
        "--follow",
        type=float,
        metavar="SECONDS",
        help="ask again and again, and print an object, on a line, whenever more is known",
    )
    parser.set_defaults(function=show)
    actions = parser.add_subparsers(metavar="ACTION")
    actions.add_parser("serve", help="answer page and members (systemd runs it)").set_defaults(
        function=serve
    )


def show(options: argparse.Namespace) -> int:
    """Print the overview. Returns the exit status."""
    watch = Watch(socket.gethostname())
    if options.follow:
        for seen in watch.follow(options.follow):
            print(seen.model_dump_json(), flush=True)
    seen = watch.once()
    print(seen.model_dump_json(indent=2) if options.json else text(seen))
    return 3 if any(problem.level == "danger" for problem in seen.problems) else 0


def text(seen: Overview) -> str:
    """The overview for a person."""
    lines = []
    for name, answer in seen.nodes.items():
        status = answer.parts.get("status", Part()).value or {}
        lines.append(f"{name:20} {answer.error or status.get('stage', 'unknown')}")
    for problem in seen.problems:
        lines.append(f"{problem.level}: {problem.what}")
        lines += [f"  {problem.todo}"] if problem.todo else []
    return "\n".join(lines if seen.problems else [*lines, "nothing is wrong"])


def serve(_options: argparse.Namespace) -> int:
    """Answer until nobody asks any more. Raises SlipwayError when systemd gave no socket."""
    # The parts are commands of this program. Their modules are read once, not in each process.
    from agent.__main__ import main, make_parser

    make_parser()

    def collect(subject: Subject) -> dict[str, Part]:
        return parts.collect(parts.COMMANDS[subject], partial(main))

    try:
        listening = socket.socket(fileno=FIRST_SOCKET)
    except OSError as error:
        raise SlipwayError(
            "there is no socket", hint="systemctl start slipway-overview.socket"
        ) from error
    server.Server(listening, collect, FOLDER).serve_until_idle()
    return 0
