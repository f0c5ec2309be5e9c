"""Who may come over SSH, and for what: the files that SSH reads, and the guard on the target."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.command import run
from agent.core.template import TEMPLATES
from agent.replication import trust
from agent.replication.plan import KNOWN_HOSTS

GUARD = TEMPLATES / "package" / trust.GUARD.lstrip("/")
MEMBERS = {"node1": ("192.0.2.1",), "node2": ("192.0.2.2", "198.51.100.2")}
KNOWN = {"node1": ("AAA1", "HOST1"), "node2": ("AAA2", "HOST2"), "node9": ("AAA9", "HOST9")}


def test_keys_of_members_open_the_guard_alone() -> None:
    made = trust.files(KNOWN, MEMBERS, "node1")
    assert made[trust.AUTHORIZED_KEYS] == (
        'restrict,from="192.0.2.2,198.51.100.2",command="/usr/lib/slipway/replication-target" '
        "ssh-ed25519 AAA2 slipway-node2\n"
    )
    assert made[KNOWN_HOSTS] == "node2 ssh-ed25519 HOST2\n"


def test_keys_are_told_in_the_cib(tmp_path: Path) -> None:
    host = tmp_path / "host.pub"
    host.write_text("ssh-ed25519 AAAAhost= root@node1\n")
    key = tmp_path / "folder/id"
    text = trust.own_keys(key, host)
    assert text == trust.own_keys(key, host)
    assert key.stat().st_mode & 0o777 == 0o600
    own, told = trust.keys({"ssh-node1": text, "ssh-node2": "nonsense!"})["node1"]
    assert own in key.with_name("id.pub").read_text() and told == "AAAAhost="


@pytest.mark.parametrize(
    "asked",
    [
        "exit",
        "echo -n",
        "command -v sh",
        "ps -Ao args=",
        "zfs get -H name 'rpool/guests/web'",
        "zfs get -Hpd 1 -t snapshot guid,creation 'rpool/guests/web'",
        "zpool get -o value -H feature@extensible_dataset 'rpool'",
        " mbuffer  -q -s 128k -m 16M | zfs receive  -s -F 'rpool/guests/web' 2>&1",
        " zfs destroy 'rpool/guests/web'@syncoid_node2_node1_2026-11-28:12:00:00-GMT00:00;"
        "  zfs destroy 'rpool/guests/web'@syncoid_node2_node1_2026-11-28:12:15:00-GMT00:00",
    ],
)
def test_the_guard_lets_syncoid_through(asked: str) -> None:
    done = run(["sh", GUARD], check=False, env={"SSH_ORIGINAL_COMMAND": asked})
    assert "this key is for replication" not in done.stderr


def test_disks_of_a_guest_that_has_just_arrived_are_not_written() -> None:
    arrived = Path("/run/slipway/taken/arrived-here")
    asked = "mbuffer -q | zfs receive -s -F 'rpool/guests/arrived-here' 2>&1"
    try:
        run(["sh", GUARD.with_name("end-receiving"), arrived.name])
        done = run(["sh", GUARD], check=False, env={"SSH_ORIGINAL_COMMAND": asked})
        assert done.status == 126 and "rpool/guests/arrived-here is in use" in done.stderr
        other = asked.replace("arrived-here", "another")
        done = run(["sh", GUARD], check=False, env={"SSH_ORIGINAL_COMMAND": other})
        assert "in use" not in done.stderr
    finally:
        arrived.unlink(missing_ok=True)


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "sh",
        "reboot",
        "zfs get all; sh",
        "zfs get all | sh",
        "zfs get all && sh",
        "zfs get $(reboot)",
        "zfs get `reboot`",
        "zfs get all > /etc/passwd",
        "zfs get all\nreboot",
        "zfs send rpool/guests/web",
        "zfs set mountpoint=/ rpool",
        "command -v sh & reboot",
    ],
)
def test_the_guard_lets_nothing_else_through(asked: str) -> None:
    done = run(["sh", GUARD], check=False, env={"SSH_ORIGINAL_COMMAND": asked})
    assert done.status == 126 and "this key is for replication" in done.stderr
