"""The slipway command of the node."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from agent import __version__
from agent.core.errors import SlipwayError

# The module of each command; it has add_parser(subparsers) that adds this one.
COMMANDS = {
    "status": "agent.commands.status",
    "overview": "agent.commands.overview",
    "cluster": "agent.commands.cluster",
    "ha": "agent.commands.ha",
    "guest": "agent.commands.guest",
    "migrate": "agent.commands.migrate",
    "replicate": "agent.commands.replicate",
    "container": "agent.commands.container",
    "template": "agent.commands.template",
    "boot": "agent.boot.cli",
    "disk": "agent.disk.cli",
    "storage": "agent.storages.cli",
    "backup": "agent.backup.cli",
    "sign-in": "agent.commands.sign_in",
    "kit": "agent.commands.kit",
    "token": "agent.commands.token",
    "join": "agent.commands.join",
    "certificates": "agent.commands.certificates",
    "enrolment": "agent.commands.enrolment",
    "agent": "agent.commands.agent",
}


def make_parser(command: str = "") -> argparse.ArgumentParser:
    """The command line of one command; the whole of it when there is no such command.

    Completion and the manual pages come from the whole. Reading all modules takes four times as
    long as reading those of `status`.
    """
    parser = argparse.ArgumentParser(prog="slipway", description="The Slipway node.")
    parser.add_argument("--version", action="version", version=f"slipway {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in [COMMANDS[command]] if command in COMMANDS else COMMANDS.values():
        importlib.import_module(module).add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; 1 after an error, 130 after Ctrl-C."""
    words = sys.argv[1:] if arguments is None else arguments
    if "_ARGCOMPLETE" in os.environ:
        words = os.environ.get("COMP_LINE", "").split()[1:]
    parser = make_parser(words[0] if words else "")
    if "_ARGCOMPLETE" in os.environ:
        _complete(parser)
    options = parser.parse_args(arguments)
    try:
        return int(options.function(options))
    except SlipwayError as error:
        print(f"slipway: {error}", file=sys.stderr)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"slipway: {where}{error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _complete(parser: argparse.ArgumentParser) -> None:
    """Print what can follow on the shell's command line, and end."""
    import argcomplete

    argcomplete.autocomplete(parser)


if __name__ == "__main__":
    sys.exit(main())
