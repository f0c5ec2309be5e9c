"""The slipway command of the node."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from agent import __version__
from agent.backup import cli as backup_command
from agent.boot import cli as boot_command
from agent.commands import agent as agent_command
from agent.commands import certificates as certificates_command
from agent.commands import cluster as cluster_command
from agent.commands import container as container_command
from agent.commands import enrolment as enrolment_command
from agent.commands import guest as guest_command
from agent.commands import ha as ha_command
from agent.commands import join as join_command
from agent.commands import kit as kit_command
from agent.commands import status as status_command
from agent.commands import template as template_command
from agent.commands import token as token_command
from agent.core.errors import SlipwayError
from agent.disk import cli as disk_command
from agent.storages import cli as storage_command

# Every command has a module with add_parser(subparsers).
COMMANDS = (
    status_command,
    cluster_command,
    ha_command,
    guest_command,
    container_command,
    template_command,
    boot_command,
    disk_command,
    storage_command,
    backup_command,
    kit_command,
    token_command,
    join_command,
    certificates_command,
    enrolment_command,
    agent_command,
)


def make_parser() -> argparse.ArgumentParser:
    """The whole command line; completion and the manual pages come from it too."""
    parser = argparse.ArgumentParser(prog="slipway", description="The Slipway node.")
    parser.add_argument("--version", action="version", version=f"slipway {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; 1 after an error, 130 after Ctrl-C."""
    parser = make_parser()
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
