"""The SSH key, the command line, and waiting for a server that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.errors import CommandFailed
from tests.lab.errors import LabTimeout
from tests.lab.install import free_port
from tests.lab.ssh import Key, Ssh, make_key
from tests.lab.wait import until


def test_a_key_is_made_once(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    assert key.public.startswith("ssh-ed25519 ")
    assert key.private.stat().st_mode & 0o777 == 0o600
    assert make_key(tmp_path / "key") == key


def test_the_command_for_a_person() -> None:
    login = Ssh(2222, Key(Path("/key"), "public")).login
    options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    assert " ".join(login) == f"ssh {options} -i /key -p 2222 root@127.0.0.1"


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    ssh = Ssh(free_port(), make_key(tmp_path))
    with pytest.raises(LabTimeout, match="a login over SSH"):
        ssh.wait_until_up(0.1)
    with pytest.raises(CommandFailed, match="Connection refused"):
        ssh.run(["true"])


def test_until_returns_the_first_answer() -> None:
    answers = iter([None, None, "yes", "no"])
    assert until(lambda: next(answers), 5, "an answer", where="here", interval=0) == "yes"
