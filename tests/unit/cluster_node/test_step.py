"""The agent's step: what it does for each mode, and what it waits for."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.cluster import fencing, ha, kit, local, members, status
from agent.cluster.create import NewCluster
from agent.cluster.fencing import Watchdog
from agent.cluster.folder import Folder
from agent.cluster.join import JoinRequest
from agent.config import Boot, Cluster, LvmThin, NodeConfig
from agent.step import Retry, WaitForOperator
from agent.steps import cluster as module
from agent.steps.cluster import Cluster as Step

NAMES = ("node1", "node2")


class Systemd:
    """Remembers which units were brought up; nothing is missing."""

    def __init__(self) -> None:
        self.up: set[str] = set()

    def bring_up(self, names: tuple[str, ...]) -> None:
        self.up |= set(names)

    def missing(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{name} is inactive" for name in names if name not in self.up)

    def prove(self, names: tuple[str, ...]) -> None:
        assert set(names) <= self.up


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was created, joined, and switched on, in order."""
    calls: list[Any] = []

    def create(new: NewCluster, *_: object, alone: Callable[[], None]) -> None:
        calls.append(new)
        alone()

    monkeypatch.setattr(module, "create", create)
    monkeypatch.setattr(module, "join", lambda request, *_: calls.append(request))
    monkeypatch.setattr(ha, "enable", lambda own, expected: calls.append((own, expected)))
    monkeypatch.setattr(fencing, "prepare", lambda: Watchdog("x", hardware=True))
    monkeypatch.setattr(members, "refresh", lambda _systemd: None)
    monkeypatch.setattr(module, "own_addresses", lambda: {})
    monkeypatch.setattr(module, "resolve", lambda places, _: tuple(f"at {x}" for x in places))
    monkeypatch.setattr(local, "configured", lambda: True)
    return calls


def step(folder: Path, systemd: Systemd | None = None, **cluster: Any) -> Step:
    config = NodeConfig(
        fqdn="node2.example.org",
        storage=LvmThin(volume_group="slipway"),
        boot=Boot(esps=(), kernel_parameters=()),
        cluster=Cluster(**cluster),
    )
    return Step(
        config,
        systemd or Systemd(),  # type: ignore[arg-type]
        folder=Folder(folder / "cluster"),
        kit=folder / "kit",
        token=folder / "token",
    )


def tables() -> dict[str, kit.Create | kit.Join]:
    return kit.make("lab", NAMES, {}, datetime.datetime.now(datetime.UTC))


def test_a_node_that_stays_alone(tmp_path: Path, done: list[Any]) -> None:
    made = step(tmp_path)
    assert made.observe() == ()
    made.act()
    assert made.prove() == "" and done == []


def test_create_with_a_kit_and_ha(tmp_path: Path, done: list[Any]) -> None:
    first = tables()["node1"]
    assert isinstance(first, kit.Create)
    records = [str(record) for record in first.tokens]
    (tmp_path / "kit").write_text(json.dumps({"authority": first.authority, "tokens": records}))
    systemd = Systemd()
    made = step(tmp_path, systemd, mode="create", name="lab", links=("eno2",), ha=True)
    assert made.observe() == ("the node is not a member of a cluster yet",)
    made.act()
    new, enabled = done
    assert (new.cluster, new.node, new.links) == ("lab", "node2", ("at eno2",))
    assert (new.authority, new.tokens) == (first.authority, first.tokens)
    assert enabled == ("node2", 2)
    assert "slipway-members.path" in systemd.up


def test_create_without_a_kit_or_ha(tmp_path: Path, done: list[Any]) -> None:
    step(tmp_path, mode="create", name="lab").act()
    (new,) = done
    assert (new.authority, new.tokens, new.links) == (None, (), ("at vmbr0",))


def test_join_with_the_token_of_the_answer(tmp_path: Path, done: list[Any]) -> None:
    second = tables()["node2"]
    assert isinstance(second, kit.Join)
    (tmp_path / "token").write_text(second.token.encode() + "\n")
    step(tmp_path, mode="join").act()
    (request,) = done
    assert request.token == second.token and request.links == ("at vmbr0",)


def test_a_join_without_its_token_needs_a_person(tmp_path: Path, done: list[Any]) -> None:
    with pytest.raises(WaitForOperator, match="token is gone"):
        step(tmp_path, mode="join").act()
    assert done == []


def test_a_join_by_command_is_finished(tmp_path: Path, done: list[Any]) -> None:
    second = tables()["node2"]
    assert isinstance(second, kit.Join)
    folder = Folder(tmp_path / "cluster")
    request = JoinRequest(token=second.token, node="node2", links=("192.0.2.2",))
    folder.write(folder.request, request.model_dump_json(by_alias=True))
    made = step(tmp_path)
    assert made.observe() != ()
    made.act()
    assert done == [request]


def test_a_removed_node_needs_a_person(
    tmp_path: Path, done: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path / "cluster")
    folder.write(folder.member, "node2")
    monkeypatch.setattr(local, "configured", lambda: False)
    made = step(tmp_path, mode="join")
    for action in (made.observe, made.prove):
        with pytest.raises(WaitForOperator, match="was removed"):
            action()
    assert done == []


def test_a_member_that_others_do_not_see_says_why(
    tmp_path: Path, done: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path / "cluster")
    folder.write(folder.member, "node2")
    state = SimpleNamespace(why_off="the cluster has no quorum, node1 is missing")
    monkeypatch.setattr(local, "takes_part", lambda _name: False)
    monkeypatch.setattr(local, "ONLINE_SECONDS", 0.0)
    monkeypatch.setattr(status, "look", lambda _name: (state, None))
    made = step(tmp_path, mode="join")
    assert any("inactive" in line for line in made.observe())
    with pytest.raises(Retry, match="no quorum, node1 is missing"):
        made.prove()
