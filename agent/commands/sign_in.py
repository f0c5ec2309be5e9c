"""`slipway sign-in`: second factors of the accounts that sign in on this node."""

from __future__ import annotations

import argparse

from agent import config, second_factor


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `sign-in` to the command line."""
    parser = commands.add_parser("sign-in", help="second factors of accounts")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    enrolling = actions.add_parser(
        "enrol",
        help="give an account a second factor, and show it once",
        description="Make a secret for an account of the node or of its directory, and show it as "
        "a QR code for an authenticator app, with codes that replace the app once each. It is not "
        "shown again. From then on the account's password alone is not enough over SSH and in "
        "Cockpit, where the node has second factors.",
    )
    removing = actions.add_parser("remove", help="take an account's second factor away")
    for action, function in ((enrolling, enrol), (removing, remove)):
        action.add_argument("user", metavar="USER")
        action.set_defaults(function=function)


def enrol(options: argparse.Namespace) -> int:
    """Make a secret and show it."""
    made = second_factor.enrol(options.user, config.load().fqdn)
    print(second_factor.qr_code(made.uri))
    print(made.uri)
    print("\nWithout the app, each of these once:", *made.codes, sep="\n  ")
    return 0


def remove(options: argparse.Namespace) -> int:
    """Take a secret away."""
    second_factor.remove(options.user)
    return 0
