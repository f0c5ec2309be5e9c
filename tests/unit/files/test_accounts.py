"""Accounts, with the real useradd on a small tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.errors import CommandFailed, SlipwayError
from installer.execute.accounts import add_user, check_accounts
from installer.execute.files import write_files
from installer.plan.model import AddUser, PlannedFile
from tests.unit.files.test_plan_files import KEY, answer, files

NAME = "Ann & 'Söhne' \"$HOME\""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    etc = tmp_path / "etc"
    (etc / "skel").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (etc / "shadow").write_text("root:*:19000:0:99999:7:::\n")
    (etc / "group").write_text("root:x:0:\nsudo:x:27:\nlibvirt:x:108:\n")
    (etc / "gshadow").write_text("root:*::\nsudo:*::\nlibvirt:!::\n")
    (etc / "login.defs").write_text(
        "UID_MIN 1000\nGID_MIN 1000\nHOME_MODE 0700\nUSERGROUPS_ENAB yes\n"
    )
    (etc / "skel/.profile").write_text("umask 022\n")
    return tmp_path


def entry(target: Path, file: str, name: str) -> list[str]:
    lines = (target / "etc" / file).read_text().splitlines()
    return next(line.split(":") for line in lines if line.startswith(f"{name}:"))


def user(name: str, *groups: str, full_name: str = "") -> AddUser:
    return AddUser(name=name, full_name=full_name, groups=groups)


def test_an_account_with_groups_and_keys(target: Path) -> None:
    add_user(user("ann", "sudo", "libvirt", full_name=NAME), target)
    add_user(user("bob"), target)
    assert entry(target, "passwd", "ann")[2:] == ["1000", "1000", NAME, "/home/ann", "/bin/bash"]
    assert entry(target, "group", "sudo")[3] == entry(target, "group", "libvirt")[3] == "ann"
    # Nobody logs in with a password before there is one.
    assert entry(target, "shadow", "bob")[1] == "!"
    made = files(answer(users=[{"name": "ann", "ssh-keys": [KEY]}]))
    write_files([made["/home/ann/.ssh/authorized_keys"]], target)
    home = target / "home/ann"
    for path, mode in ((home, 0o700), (home / ".ssh", 0o700), (home / ".profile", None)):
        assert (path.stat().st_uid, path.stat().st_gid) == (1000, 1000)
        assert mode is None or path.stat().st_mode & 0o777 == mode
    assert (home / ".ssh/authorized_keys").read_text() == f"{KEY}\n"
    assert (home / ".ssh/authorized_keys").stat().st_uid == 1000


def test_a_group_that_does_not_exist_is_told(target: Path) -> None:
    with pytest.raises(CommandFailed, match="group 'sudoers' does not exist"):
        add_user(user("ann", "sudoers"), target)


def test_sudo_accepts_only_files_that_nobody_else_changes(target: Path) -> None:
    file = PlannedFile(path="/etc/sudoers.d/slipway", content="ann ALL=ALL\n", mode="0440")
    write_files([file], target)
    assert (target / "etc/sudoers.d/slipway").stat().st_mode & 0o777 == 0o440


def test_accounts_that_can_be_created() -> None:
    check_accounts([user("ann", "sudo"), user("bob", "sudo", "ann")])


@pytest.mark.parametrize("name", ["daemon", "sudo", "ann"])
def test_names_that_are_taken(name: str) -> None:
    with pytest.raises(SlipwayError, match=f"an account or a group {name} of its own"):
        check_accounts([user("ann"), user(name)])


def test_groups_that_the_node_does_not_have() -> None:
    with pytest.raises(SlipwayError, match="users: ann: the node has no group admins, wheels"):
        check_accounts([user("ann", "wheels", "sudo", "admins")])
