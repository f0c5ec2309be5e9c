"""The executor's actions on files and on the CIB; csync2 and libvirt are in the laboratory."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cluster.guests import look, sync
from agent.cluster.guests.model import Claim, claims, digest
from agent.cluster.guests.plan import Copy, Forget, Say, State, Want, Withdraw
from agent.cluster.guests.sync import Executor
from agent.core.files import write_atomically
from agent.core.template import TEMPLATES
from agent.step import Retry
from tests.unit.cluster.shared import Memory
from tests.unit.cluster_guests.world import WEB

TEXT = "<domain/>"


@pytest.fixture
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Executor:
    monkeypatch.setattr(look, "definitions", lambda: {WEB: TEXT})
    return Executor("node1", Memory(), tmp_path / "guests", tmp_path / "refused")


def test_a_copy_is_for_root_alone_and_goes(executor: Executor) -> None:
    executor.do(Copy(WEB, digest(TEXT)))
    path = executor.folder / "vm-web.xml"
    assert path.read_text() == TEXT and path.stat().st_mode & 0o777 == 0o600
    executor.do(Forget(WEB))
    assert not path.exists()


def test_what_changed_since_it_was_announced_is_not_copied(executor: Executor) -> None:
    with pytest.raises(Retry, match="vm web has changed"):
        executor.do(Copy(WEB, digest("another")))
    assert not executor.folder.exists()


def test_a_claim_replaces_the_one_before_and_is_withdrawn(executor: Executor) -> None:
    for generation in (1, 2):
        executor.do(Say(WEB, Claim("node1", (digest(TEXT),), generation)))
    assert claims(executor.shared.texts())[WEB].generation == 2
    assert set(executor.shared.texts()) == {"guest-vm-web__2"}
    executor.do(Withdraw(WEB))
    assert executor.shared.texts() == {}


def test_asking_for_copies(executor: Executor) -> None:
    executor.do(Want(True))
    assert executor.shared.texts() == {"copies-node1": "yes"}
    executor.do(Want(False))
    assert executor.shared.texts() == {}


def test_it_looks_again_until_nothing_is_left_to_do(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member asks for copies while this one is at work, and again."""
    everyone = frozenset({"node1", "node2"})
    asked = [frozenset({"node1"})] * 3 + [frozenset()]
    monkeypatch.setattr(
        look, "look", lambda _: State("node1", everyone, everyone, wanting=asked.pop(0))
    )
    monkeypatch.setattr(sync, "Cib", lambda: executor.shared)
    sync.sync()
    assert asked == []


def test_it_looks_again_when_something_changed_during_a_look(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another member writes into the CIB after this one has read it."""
    cib, looks = tmp_path / "cib.xml", 0
    cib.write_text("1")

    def state(_: Path) -> State:
        nonlocal looks
        looks += 1
        if looks == 1:
            write_atomically(cib, "2")
        return State("node1", frozenset(), frozenset())

    monkeypatch.setattr(look, "look", state)
    monkeypatch.setattr(look, "WATCHED", (cib, tmp_path / "none"))
    monkeypatch.setattr(sync, "Cib", lambda: executor.shared)
    sync.sync()
    assert looks == 2


def test_what_is_compared_is_what_systemd_watches() -> None:
    unit = TEMPLATES / "package/usr/lib/systemd/system/slipway-guests.path"
    lines = unit.read_text().splitlines()
    watched = {line.partition("=")[2] for line in lines if line.startswith("PathChanged=")}
    assert watched == set(map(str, look.WATCHED))


def test_it_ends_when_definitions_change_all_the_time(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    always = State("node1", frozenset(), frozenset(), wanting=frozenset({"node1"}))
    monkeypatch.setattr(look, "look", lambda _: always)
    monkeypatch.setattr(sync, "Cib", lambda: executor.shared)
    with pytest.raises(Retry, match="all the time"):
        sync.sync()


def test_without_quorum_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "look", lambda _: None)
    with pytest.raises(Retry, match="no cluster with quorum"):
        sync.sync()
