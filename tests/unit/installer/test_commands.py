"""Commands in the target, in a real chroot: a folder with this system's programs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.command import run
from agent.core.errors import CommandFailed
from installer.execute.target import run_in_target
from installer.plan.model import KeepLog, RunInTarget, SetPassword
from installer.plan.planner import make_plan, secrets_of
from tests.unit.answers.files import MINIMAL, load
from tests.unit.network.machines import STATIC, nic
from tests.unit.storage.machines import disk, machine


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    for folder in ("usr", "dev", "proc", "sys", "tmp"):
        (tmp_path / folder).mkdir()
    for link in ("bin", "sbin", "lib", "lib64"):
        (tmp_path / link).symlink_to(f"usr/{link}")
    run(["mount", "--bind", "-o", "ro", "/usr", tmp_path / "usr"])
    yield tmp_path
    run(["umount", tmp_path / "usr"])


def mounts(target: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line.split()[1] for line in lines if line.split()[1].startswith(f"{target}/")]


def test_a_command_sees_the_target_and_the_kernel(target: Path) -> None:
    run_in_target(
        ("sh", "-c", "test -e /proc/self && test -c /dev/null && pwd >/tmp/where"), target
    )
    assert (target / "tmp/where").read_text() == "/\n"
    assert mounts(target) == [f"{target}/usr"]


def test_words_reach_the_command_as_they_are(target: Path) -> None:
    run_in_target(("touch", "/tmp/a b & $(c) 'd'"), target)
    assert [path.name for path in (target / "tmp").iterdir()] == ["a b & $(c) 'd'"]


def test_what_a_command_says_is_in_the_log(target: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "installer")
    run_in_target(("sh", "-c", "echo enabled; echo beware >&2"), target)
    assert sorted(caplog.messages) == ["sh: beware", "sh: enabled"]


def test_a_command_that_fails_is_an_error_with_its_words(target: Path) -> None:
    with pytest.raises(CommandFailed, match="ended with status 3") as caught:
        run_in_target(("sh", "-c", "echo no such service >&2; exit 3"), target)
    assert caught.value.output == "no such service"
    assert mounts(target) == [f"{target}/usr"]


def test_folders_that_the_target_does_not_have_are_made(
    target: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = tmp_path_factory.mktemp("NetworkManager")
    (running / "resolv.conf").write_text("nameserver 192.0.2.1\n")
    folders = ("proc", str(running).lstrip("/"), "run/nothing-here")
    monkeypatch.setattr("installer.execute.target.SYSTEM_FOLDERS", folders)
    run_in_target(("cp", f"{running}/resolv.conf", "/tmp/seen"), target)
    assert (target / "tmp/seen").read_text() == "nameserver 192.0.2.1\n"
    assert not (target / "run").exists()


def test_the_plan_of_a_system() -> None:
    tables = {
        "network": STATIC,
        "system": {"commands": [["a", "b c"], ["d"]], "kernel-parameters": ["iommu=pt", "quiet"]},
        "users": [
            {"name": "ann", "password": "correct horse", "groups": ["sudo"]},
            {"name": "bob", "password-hashed": "$y$j9T$s$h"},
            {"name": "cat", "ssh-keys": ["ssh-ed25519 AAAA"]},
        ],
    }
    answer = load(MINIMAL | tables).answer
    inventory = machine(disk("sda")).model_copy(update={"interfaces": (nic(1),)})
    plan = make_plan(answer, inventory)
    kinds: list[str] = [action.kind for action in plan.actions]
    order = ["unpack-image", "add-user", "write-files", "write-identity", "install-boot-loader"]
    places = [kinds.index(kind) for kind in (*order, "run-in-target", "keep-log", "unmount")]
    assert places == sorted(places)
    commands = [action.argv for action in plan.actions if isinstance(action, RunInTarget)]
    assert commands == [("a", "b c"), ("d",)]
    passwords = {
        action.user: (action.secret, action.hashed)
        for action in plan.actions
        if isinstance(action, SetPassword)
    }
    assert passwords == {
        "root": ("root", False),
        "ann": ("user ann", False),
        "bob": ("user bob", True),
    }
    assert set(secrets_of(answer)) == {secret for secret, _ in passwords.values()}
    assert secrets_of(answer)["user ann"].get_secret_value() == "correct horse"
    boot = next(action for action in plan.actions if action.kind == "install-boot-loader")
    assert boot.kernel_parameters[-2:] == ("iommu=pt", "quiet")
    assert next(a for a in plan.actions if isinstance(a, KeepLog)).path.startswith("/var/log/")
    text = plan.model_dump_json()
    assert "correct horse" not in text and "$y$" not in text
