"""Passwords and identity, with the real tools."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from agent.core.command import run
from agent.core.errors import SlipwayError
from installer.execute.accounts import set_password
from installer.execute.files import write_identity

PASSWORD = "a & b: 'c' \"d\" $(e) \\ `f` ü"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\nann:x:1001:1001::/home/ann:\n")
    (etc / "shadow").write_text("root:*:19000:0:99999:7:::\nann:!:19000:0:99999:7:::\n")
    (etc / "ssh").mkdir()
    return tmp_path


def shadow(target: Path, user: str) -> str:
    lines = (target / "etc/shadow").read_text().splitlines()
    return next(line.split(":")[1] for line in lines if line.startswith(f"{user}:"))


def test_password_is_hashed_and_verifies(target: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    set_password(target, "root", PASSWORD, hashed=False)
    kept = shadow(target, "root")
    assert kept.startswith("$y$")
    assert shadow(target, "ann") == "!"
    # Hashing the same password with the same salt gives the same hash.
    salt = kept.rpartition("$")[0]
    again = run(["perl", "-e", "print crypt(<STDIN>, $ARGV[0])", salt], input=PASSWORD).stdout
    assert again == kept
    assert PASSWORD not in caplog.text
    assert "chpasswd" in caplog.text


def test_hash_is_kept_as_it_is(target: Path) -> None:
    set_password(target, "ann", "$6$salt$hash.x/y", hashed=True)
    assert shadow(target, "ann") == "$6$salt$hash.x/y"


@pytest.mark.parametrize("secret", ["one\nroot:two", "one\r", "one\0two"])
def test_password_of_two_lines_sets_nothing(target: Path, secret: str) -> None:
    with pytest.raises(SlipwayError, match="one line") as caught:
        set_password(target, "ann", secret, hashed=False)
    assert "two" not in str(caught.value)
    assert (shadow(target, "root"), shadow(target, "ann")) == ("*", "!")


def test_account_that_does_not_exist(target: Path) -> None:
    with pytest.raises(SlipwayError) as caught:
        set_password(target, "nobody-here", "secret-word", hashed=False)
    assert "secret-word" not in str(caught.value)


def test_identity_is_new_each_time(target: Path) -> None:
    bus = target / "var/lib/dbus"
    bus.mkdir(parents=True)
    (bus / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    seen = set()
    for _ in range(2):
        write_identity(target)
        machine_id = (target / "etc/machine-id").read_text()
        assert re.fullmatch(r"[0-9a-f]{32}\n", machine_id)
        keys = sorted((target / "etc/ssh").glob("ssh_host_*_key"))
        assert [key.name for key in keys] == [
            "ssh_host_ecdsa_key",
            "ssh_host_ed25519_key",
            "ssh_host_rsa_key",
        ]
        assert {oct(key.stat().st_mode & 0o777) for key in keys} == {"0o600"}
        seen |= {machine_id, *(key.read_text() for key in keys)}
    assert len(seen) == 8
    assert "0123456789abcdef0123456789abcdef\n" not in seen
