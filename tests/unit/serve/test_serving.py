"""Boot decisions and answers, against a real state file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from agent.core.errors import SlipwayError
from image.serve import boot, machines, reports, serving, tokens
from image.serve.answers import AnswerProblem
from image.serve.boot import Decision
from image.serve.facts import posted_facts
from image.serve.load_site import LoadedSite
from image.serve.match import Ambiguous
from image.serve.news import read
from image.serve.preview import preview
from image.serve.serving import Denied, Waiting
from image.serve.store import Store
from image.serve.tokens import WrongToken
from tests.serve.simulated import identity
from tests.unit.serve.site import site

HOOK = ("https://192.0.2.1/events", "0" * 64)
T = TypeVar("T")


class Server:
    """The server without its sockets."""

    def __init__(self, loaded: LoadedSite, folder: Path) -> None:
        self.loaded = loaded
        self.store = Store(folder / "state.sqlite")

    def do(self, change: Callable[[sqlite3.Connection], T]) -> T:
        return self.store.change(change).result(30)

    def boot(self, number: int, **changes: str) -> Decision:
        facts = posted_facts(identity(number))
        known = type(facts)(facts.macs, changes.get("serial", facts.serial), facts.uuid)
        return self.do(lambda db: boot.decide(db, self.loaded, known, "192.0.2.9"))

    def answer(self, number: int, decision: Decision) -> Any:
        facts, token = posted_facts(identity(number)), decision.answer_token.get_secret_value()
        content = self.do(
            lambda db: serving.serve(db, self.loaded, facts, token, "192.0.2.9", HOOK)
        )
        return json.loads(content)

    def install(self, number: int) -> Any:
        return self.answer(number, self.boot(number))

    def report(self, answer: Any, document: object) -> None:
        token = answer["webhook"]["token"]
        self.do(lambda db: reports.apply(db, token, [read(document)]))

    def press(self, decision: Decision, command: Any) -> None:
        self.do(
            lambda db: machines.advance(
                db, machines.get(db, decision.machine.id), command, "pressed"
            )
        )


Make = Callable[..., Server]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    servers: list[Server] = []

    def made(more: str = "", **options: str) -> Server:
        servers.append(Server(site(tmp_path, more, **options), tmp_path))
        return servers[-1]

    yield made
    for server in servers:
        server.store.close()


LISTED = '[[machines]]\nname = "db"\nmatch.serial = "SIM00001"\nanswer.global.fqdn = "db.lan"\n'


def test_counters_and_addresses_differ_and_stay(make: Make) -> None:
    server = make()
    first, second = server.install(1), server.install(2)
    assert first["global"]["fqdn"] == "node1.example.org"
    assert second["global"]["fqdn"] == "node2.example.org"
    assert {first["network"]["cidr"], second["network"]["cidr"]} == {"10.0.0.10/16", "10.0.0.11/16"}
    decision = server.boot(2)
    server.press(decision, "retry")
    again = server.install(2)
    assert again["global"]["fqdn"] == second["global"]["fqdn"]
    assert again["network"]["cidr"] == second["network"]["cidr"]


def test_an_answer_that_fails_gives_nothing_away(make: Make) -> None:
    server = make('[[machines]]\nname="m"\nmatch.serial="SIM00001"\nanswer.wipe="{{ nothing }}"\n')
    with pytest.raises(AnswerProblem, match=r"site.toml:\d+:1: .*'nothing' is undefined"):
        server.install(1)
    assert server.install(2)["global"]["fqdn"] == "node1.example.org"


def test_an_answer_that_is_not_valid_is_not_served(make: Make) -> None:
    server = make('[[machines]]\nname="m"\nmatch.mac="*"\nanswer.wipe="{{ 1 }}"\n')
    with pytest.raises(AnswerProblem) as raised:
        server.install(1)
    assert 'wipe: "1" is given' in str(raised.value)


def test_templates_are_in_a_sandbox(make: Make) -> None:
    text = "{{ counter.__globals__ }}"
    server = make(f'[[machines]]\nname="m"\nmatch.mac="*"\nanswer.global.mailto="{text}"\n')
    with pytest.raises(AnswerProblem, match="unsafe|undefined"):
        server.install(1)


def test_addresses_of_the_site_file_are_not_given_to_others(make: Make) -> None:
    text = '[[machines]]\nname="m"\nmatch.serial="none"\nanswer.network.cidr="10.0.0.10/16"\n'
    assert make(text).install(1)["network"]["cidr"] == "10.0.0.11/16"


def test_two_machines_with_one_name(make: Make) -> None:
    server = make('[[groups]]\nname="g"\nmatch.mac="*"\nanswer.global.fqdn="same.lan"\n')
    server.install(1)
    with pytest.raises(AnswerProblem, match="same.lan was given to another machine"):
        server.install(2)


def test_only_listed_machines_install(make: Make) -> None:
    server = make(LISTED, approve="listed")
    assert server.boot(1).boot == "install"
    assert server.boot(2).boot == "hold"
    assert server.install(1)["global"]["fqdn"] == "db.lan"
    # GRUB and old firmware tell no serial number: the installer has to.
    unknown = server.boot(3, serial="")
    assert unknown.boot == "install"
    with pytest.raises(Waiting):
        server.answer(3, unknown)


def test_by_hand(make: Make) -> None:
    server = make(LISTED, approve="by-hand")
    decision = server.boot(1)
    assert decision.boot == "hold"
    server.press(decision, "approve")
    assert server.boot(1).boot == "install"


def test_installed_machines_start_from_disk_until_told_otherwise(make: Make) -> None:
    server = make()
    answer = server.install(1)
    server.report(answer, {"event": "success"})
    for _ in range(3):
        assert server.boot(1).boot == "disk"
    server.report(answer, {"stage": "ready"})
    decision = server.boot(1)
    assert (decision.machine.state, decision.boot) == ("ready", "disk")
    server.press(decision, "retry")
    assert server.boot(1).boot == "install"


def test_a_restart_without_a_result(make: Make) -> None:
    server = make()
    answer = server.install(1)
    decision = server.boot(1)
    assert (decision.machine.state, decision.boot) == ("failed", "disk")
    assert "restarted" in decision.machine.reason
    server.report(answer, {"stage": "ready"})
    assert server.boot(1).machine.state == "ready"


def test_a_token_is_for_one_machine_and_one_installation(make: Make) -> None:
    server = make()
    decision = server.boot(1)
    with pytest.raises(Denied, match="another machine"):
        server.answer(2, decision)
    answer = server.answer(1, decision)
    assert server.answer(1, decision)["global"] == answer["global"]
    server.report(answer, {"event": "start"})
    with pytest.raises(WrongToken, match="used"):
        server.answer(1, decision)


def test_a_machine_that_is_switched_on_all_the_time(make: Make) -> None:
    """It does not fill the state with tokens; the newest is good."""
    server = make()
    decisions = [server.boot(1) for _ in range(tokens.UNUSED + 5)]
    kept = server.store.reader.execute("SELECT count(*) FROM tokens").fetchone()[0]
    assert kept == 2 * tokens.UNUSED
    with pytest.raises(WrongToken, match="not known"):
        server.answer(1, decisions[0])
    assert server.answer(1, decisions[-1])["global"]["fqdn"] == "node1.example.org"


def test_too_many_new_machines(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest of those that nobody decided about goes, then one that got no answer."""
    monkeypatch.setattr(machines, "MAXIMUM_NEW", 3)
    server = make(LISTED, approve="listed")
    server.install(1)
    kept = [server.boot(number).machine.id for number in (2, 3, 4)]
    server.press(server.boot(2), "approve")
    for number in (5, 6, 7):
        server.boot(number)
    left = {
        machine.macs[0][-2:]: machine.state for machine in machines.everyone(server.store.reader)
    }
    assert left == {"01": "installing", "02": "approved", "06": "seen", "07": "seen"}
    assert server.boot(3).machine.id not in kept


def test_another_card_of_an_installed_machine(make: Make) -> None:
    """It was seen by another hardware address first; its installer tells who it is."""
    server = make()
    server.install(1)
    stranger = server.boot(2)
    both = identity(2)
    both["network_interfaces"] += identity(1)["network_interfaces"]
    facts, token = posted_facts(both), stranger.answer_token.get_secret_value()
    with pytest.raises(Denied, match="known as node1.example.org"):
        server.do(lambda db: serving.serve(db, server.loaded, facts, token, "", HOOK))


def test_late_reports_change_nothing(make: Make) -> None:
    server = make()
    old = server.install(1)
    server.report(old, {"event": "failure", "error": {"message": "no disk"}, "log": "l"})
    decision = server.boot(1)
    assert (decision.boot, decision.machine.reason) == ("hold", "no disk")
    server.press(decision, "retry")
    server.report(old, {"event": "success"})
    assert server.boot(1).boot == "install"


def test_ambiguity_waits_with_a_reason(make: Make) -> None:
    text = '[[groups]]\nname="a"\nmatch.mac="52:*"\n[[groups]]\nname="b"\nmatch.mac="52:*"\n'
    server = make(text)
    decision = server.boot(1)
    assert decision.boot == "hold"
    assert "a and b match" in decision.machine.reason
    server.press(decision, "approve")
    with pytest.raises(Ambiguous):
        server.install(1)


CLUSTER = """
[[groups]]
name = "rack"
match.mac = "*"
cluster = "lab"
nodes = {node1 = "10.0.0.10", node2 = ""}
"""


def test_a_group_becomes_a_cluster(make: Make) -> None:
    server = make(CLUSTER)
    first, second = server.install(1), server.install(2)
    assert (first["cluster"]["mode"], first["cluster"]["name"]) == ("create", "lab")
    assert second["cluster"]["mode"] == "join"
    with pytest.raises(AnswerProblem, match="node3 is none of the nodes"):
        server.install(3)
    shown = server.store.reader.execute("SELECT answer FROM served").fetchone()["answer"]
    assert "PRIVATE" not in shown and "not so secret" not in shown


def test_a_preview_gives_nothing_away(make: Make, tmp_path: Path) -> None:
    server = make(LISTED)
    for _ in range(2):
        rendered, matched = preview(server.loaded, tmp_path / "state.sqlite", "52:54:00:00:00:07")
        assert rendered.answer.global_.fqdn == "node1.example.org"
    rendered, matched = preview(server.loaded, tmp_path / "state.sqlite", "db")
    assert matched.machine and matched.machine.name == "db"
    assert rendered.answer.global_.fqdn == "db.lan"
    with pytest.raises(SlipwayError, match="no such machine"):
        preview(server.loaded, tmp_path / "state.sqlite", "nobody")
    assert server.install(7)["global"]["fqdn"] == "node1.example.org"
