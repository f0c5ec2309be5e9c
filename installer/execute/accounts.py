"""Accounts of the node: creating them, and what can be said before anything is written."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Iterable
from pathlib import Path

from agent.core.command import run
from agent.core.errors import SlipwayError
from installer.plan.model import AddUser


def check_accounts(users: Iterable[AddUser]) -> None:
    """Raises SlipwayError when one of the accounts could not be created.

    The live system is the node with the installer on top, so it has the same accounts and groups.
    """
    groups = {group.gr_name for group in grp.getgrall()}
    names = {account.pw_name for account in pwd.getpwall()}
    for user in users:
        # An account gets a group of its name.
        if user.name in names | groups:
            raise SlipwayError(
                f"the node has an account or a group {user.name} of its own",
                where="users",
                hint="choose another name; no disk was changed",
            )
        if unknown := sorted(set(user.groups) - groups):
            raise SlipwayError(
                f"the node has no group {', '.join(unknown)}",
                where=f"users: {user.name}",
                hint="no disk was changed",
            )
        names.add(user.name)
        groups.add(user.name)


def add_user(action: AddUser, target: Path) -> None:
    """Create an account with a home folder. Raises CommandFailed."""
    about = ["--comment", action.full_name, "--groups", ",".join(action.groups)]
    run(["useradd", "--root", target, "--create-home", "--shell", "/bin/bash", *about, action.name])


def set_password(target: Path, user: str, secret: str, *, hashed: bool) -> None:
    """Set the password of one of the target's accounts, given as text or as a crypt(3) hash.

    Raises SlipwayError when it cannot be one line of chpasswd's input, CommandFailed.
    """
    if any(character in secret for character in "\n\r\0"):
        raise SlipwayError(f"the password of {user} must be one line")
    # --prefix: the target's files and the live system's program, so nothing runs in the target.
    encrypted = ["--encrypted"] if hashed else []
    run(["chpasswd", "--prefix", target, *encrypted], input=f"{user}:{secret}\n")
