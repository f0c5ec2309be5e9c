"""`slipway certificates refresh`: certificate, revocation list and keys; a timer runs it."""

from __future__ import annotations

import argparse
import logging
import sys

from agent.cluster.cib import Cib
from agent.cluster.folder import Folder
from agent.cluster.pcs import Pcsd
from agent.cluster.refresh import refresh
from agent.systemd import Systemd


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `certificates` to the command line."""
    parser = commands.add_parser("certificates", help="certificate and keys of a member")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser(
        "refresh",
        help="renew and take up what is due; a timer runs it",
        description="Renew the node's certificate when a third of its life is left, take up the "
        "list of revoked certificates, and renew keys after a member was removed.",
    ).set_defaults(function=run_refresh)


def run_refresh(_options: argparse.Namespace) -> int:
    """Do what is needed."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    refresh(Folder(), Cib(), Pcsd(), Systemd())
    return 0
