"""The node is ready without a storage's server, says so, and takes the storage into use later."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from agent import hypervisor
from agent.__main__ import main
from agent.core.commands import Command
from agent.core.errors import CommandFailed
from agent.step import WaitForOperator
from agent.steps.storages import UNIT, Storages
from agent.storages import reach, registry, use
from agent.storages.model import Nfs
from agent.systemd import Systemd

NAS = Nfs(server="192.0.2.9", export="/guests")
DISK = '<disk><source file="/var/lib/slipway/storages/nas/a"/></disk>'
ON_NAS = f"<domain><devices>{DISK}</devices></domain>"


class Node:
    """libvirt, the server and systemd, as far as they are asked; ran: the commands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.answers, self.fails = False, False
        self.active: dict[str, bool] = {"local": True}
        self.guests = [
            hypervisor.Guest("a", active=False, autostart=True, xml=ON_NAS),
            hypervisor.Guest("b", active=False, autostart=False, xml=ON_NAS),
            hypervisor.Guest("c", active=False, autostart=True, xml="<domain/>"),
        ]
        self.ran: list[str] = []
        self.waiting: list[str] = []
        self.systemd = Systemd()
        monkeypatch.setattr(self.systemd, "bring_up", self.waiting.extend)
        monkeypatch.setattr(hypervisor, "pools", lambda: dict(self.active))
        monkeypatch.setattr(hypervisor, "guests", lambda: tuple(self.guests))
        monkeypatch.setattr(reach, "_answers", lambda _host, _port: self.answers)
        monkeypatch.setattr(use, "execute", self.execute)
        for name in ("load", "save", "forget"):
            inside = partial(getattr(registry, name), folder=folder)
            monkeypatch.setattr(registry, name, inside)
        registry.save("nas", NAS, "")
        self.step = Storages(self.systemd)

    def execute(self, commands: list[Command], *, explain: bool = False) -> None:
        for command in commands:
            self.ran.append(" ".join(command.argv))
            if command.argv[:2] == ("virsh", "pool-start"):
                if self.fails:
                    raise CommandFailed(command.argv, 1, "access denied by server")
                self.active[command.argv[2]] = True


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Node:
    return Node(monkeypatch, tmp_path)


def test_ready_without_the_server(node: Node) -> None:
    assert node.step.observe() == ()
    note = node.step.prove()
    assert note == "the storage nas is not in use: no server of 192.0.2.9:/guests answers"
    assert node.waiting == [UNIT]
    assert node.ran == []


def test_taken_into_use_when_the_server_is_back(node: Node) -> None:
    assert set(use.connect_all()) == {"nas"}
    node.answers = True
    assert use.connect_all() == {}
    assert "virsh pool-start nas" in node.ran
    assert [line for line in node.ran if line.startswith("virsh start")] == ["virsh start a"]
    assert node.step.prove() == ""


def test_a_server_that_is_there_is_used_at_once(node: Node) -> None:
    node.answers = True
    assert node.step.observe() == ("the storage nas is not in use",)
    node.step.act()
    assert node.step.observe() == ()
    assert node.step.prove() == ""
    assert node.waiting == []


def test_a_server_that_refuses_keeps_nothing(node: Node) -> None:
    node.answers = node.fails = True
    node.step.act()
    assert "access denied by server" in node.step.prove()
    assert node.waiting == [UNIT]


def test_a_broken_file_waits_for_a_person(node: Node, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("kind = 1\n")
    with pytest.raises(WaitForOperator, match="bad.toml"):
        node.step.observe()


def test_a_storage_with_guests_is_not_given_up(
    node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["storage", "remove", "nas"]) == 1
    assert "these guests have disks on it: a, b" in capsys.readouterr().err
    assert registry.load() == {"nas": NAS}
    node.guests.clear()
    assert main(["storage", "remove", "nas"]) == 0
    assert registry.load() == {}


def test_a_storage_that_cannot_be_used_is_not_registered(
    node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["storage", "add", "nfs", "other", "--server", "192.0.2.9", "--export", "/x"]
    assert main(words) == 1
    assert "no server of 192.0.2.9:/x answers" in capsys.readouterr().err
    assert set(registry.load()) == {"nas"}
    node.answers = True
    assert main(words) == 0
    assert set(registry.load()) == {"nas", "other"}
    assert main(words) == 1
    assert "there is a storage of this name" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nfs", "Nas", "--server", "a", "--export", "/x"], "a name has small letters"),
        (["nfs", "n", "--server", "a b", "--export", "/x"], "--server cannot be 'a b'"),
        (["iscsi", "n", "--portal", "a", "--target", "t", "--port", "x"], "--port cannot be 'x'"),
        (["rbd", "n", "--monitor", "a", "--pool", "p"], "needs a password or key"),
    ],
)
def test_bad_input(
    node: Node, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["storage", "add", *words]) == 1
    assert said in capsys.readouterr().err


def test_the_list(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["storage", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "NAME   KIND  STATE       WHERE",
        "local        in use",
        "nas    nfs   not in use  192.0.2.9:/guests",
    ]
