"""The engine's side of the dialogue: drafts, versions, orders, what is refused."""

from __future__ import annotations

import json

import pytest

from installer.answers.load import load_answer
from installer.session.draft import HIDDEN, check, document_of, with_value
from installer.session.protocol import (
    AnswerFile,
    Attach,
    Choose,
    Failure,
    ImportKeys,
    Leave,
    Retry,
    SendLog,
    Set,
    SetPassword,
    Start,
)
from tests.unit.answers.files import MINIMAL, load
from tests.unit.network.machines import lease
from tests.unit.ui.conftest import Hall
from tests.unit.ui.machines import HASH, PASSWORD, inventory


def password(hall: Hall) -> None:
    assert not hall.ask(SetPassword.model_validate({"password": PASSWORD})).error


def start(hall: Hall, **changes: str) -> Start:
    plan = hall.session.state.plan
    assert plan
    return Start(**{"confirmation": "erase", "digest": plan.digest} | changes)


def test_a_first_draft_needs_only_a_password(hall: Hall) -> None:
    state = hall.session.state
    assert state.stage == "choosing" and state.plan is None
    assert [problem.path for problem in state.problems] == [("global",)]
    password(hall)
    assert hall.session.state.plan
    assert hall.session.state.plan.address == "https://198.51.100.1:9090/"
    assert [line.split()[0] for line in hall.session.state.plan.erased] == ["/dev/sda"]


def test_secrets_are_not_told(hall: Hall) -> None:
    password(hall)
    assert hall.session.draft["global"]["root-password-hashed"] == HASH
    assert hall.session.state.draft["global"]["root-password-hashed"] == HIDDEN
    assert HASH not in hall.told["state"] and PASSWORD not in hall.told["state"]


def test_a_wrong_value_stays_and_is_explained(hall: Hall) -> None:
    hall.ask(Set(path=("network", "cidr"), value=["10.0.0"]))
    problems = {problem.path[:2]: problem for problem in hall.session.state.problems}
    assert problems[("network", "cidr")].given
    assert "expected" in problems[("network", "cidr")].message
    assert hall.session.state.draft["network"]["cidr"] == ["10.0.0"]


def test_the_last_write_wins_and_says_whom_it_replaced(hall: Hall) -> None:
    hall.ask(Attach(name="ttyS0"), client=1)
    hall.ask(Attach(name="tty1"), client=2)
    seen = hall.session.state.version
    path = ("global", "fqdn")
    hall.ask(Set(path=path, value="one.example.com", version=seen + 1), client=1)
    hall.ask(Set(path=path, value="two.example.com", version=seen), client=2)
    changed = hall.session.state.changed
    assert changed and (changed.by, changed.over) == ("tty1", seen > 0)
    assert hall.session.draft["global"]["fqdn"] == "two.example.com"
    assert hall.session.state.version == seen + 2


@pytest.mark.parametrize("change", [{"confirmation": "yes"}, {"digest": "0" * 64}])
def test_only_the_plan_that_was_read_is_started(hall: Hall, change: dict[str, str]) -> None:
    password(hall)
    assert hall.ask(start(hall, **change)).error
    assert hall.session.orders.empty() and hall.session.state.stage == "choosing"
    assert not hall.ask(start(hall)).error
    assert isinstance(hall.session.orders.get_nowait(), Start)


def test_nothing_is_started_twice_or_changed_meanwhile(hall: Hall) -> None:
    password(hall)
    order = start(hall)
    assert not hall.ask(order).error
    assert hall.ask(order).error
    assert hall.ask(Set(path=("global", "fqdn"), value="x.example.com")).error
    assert hall.ask(Leave(mode="reboot")).error
    assert hall.ask(Choose()).error
    assert hall.session.orders.qsize() == 1


def test_after_a_failure(hall: Hall) -> None:
    password(hall)
    assert hall.ask(Retry()).error
    hall.ask(start(hall))
    hall.session.fail(Failure(message="is gone", retry=True))
    assert hall.state()["stage"] == "failed"
    assert not hall.ask(Retry(begin="beginning")).error
    hall.session.fail(Failure(message="is gone"))
    assert not hall.ask(Choose()).error
    assert hall.state()["stage"] == "choosing" and hall.state()["failure"] is None
    assert hall.session.draft["global"]["root-password-hashed"] == HASH


def test_an_offer_follows_dhcp_until_somebody_changes_it(hall: Hall) -> None:
    hall.machine.found = inventory(leases=(lease(1, address="203.0.113.7/24"),))
    hall.session.probe()
    assert hall.session.draft["network"]["cidr"] == ["203.0.113.7/24"]
    hall.ask(Set(path=("network", "cidr"), value=["203.0.113.9/24"]))
    hall.machine.found = inventory()
    hall.session.probe()
    assert hall.session.draft["network"]["cidr"] == ["203.0.113.9/24"]


def test_the_answer_file_is_valid_and_carries_no_consent(hall: Hall) -> None:
    password(hall)
    text = hall.ask(AnswerFile()).result["text"]
    answer = load_answer(text.encode(), "saved").answer
    assert answer.wipe == "none"
    assert answer.disk_setup.disk_list == ("sda",)
    assert answer.global_.root_password_hashed
    assert answer.global_.root_password_hashed.get_secret_value() == HASH
    hall.ask(AnswerFile(device="/dev/sdz1"))
    assert hall.machine.done[-1] == "save answer.toml to /dev/sdz1"


def test_keyboard_keys_and_log(hall: Hall) -> None:
    hall.ask(Set(path=("global", "keyboard"), value="de"))
    assert hall.machine.done[-1] == "keyboard de"
    assert hall.ask(ImportKeys(source="gh:somebody")).result == {"keys": 1}
    assert len(hall.session.draft["global"]["root-ssh-keys"]) == 1
    assert hall.ask(SendLog()).error


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"[]\n",
        b'{"id":7}\n',
        b'{"id":7,"command":{"command":"format"}}\n',
        b'{"id":7,"command":{"command":"set","path":[]}}\n',
        b'{"id":"x","command":"start"}\n',
        b"\xff\xfe\n",
    ],
)
def test_nonsense_is_refused(hall: Hall, line: bytes) -> None:
    reply = json.loads(hall.session.answer(1, line))
    assert reply["error"].startswith("this is no command")


def test_a_secret_of_a_refused_command_is_not_repeated(hall: Hall) -> None:
    line = b'{"id":1,"command":{"command":"set-password","password":["open sesame"]}}\n'
    assert b"sesame" not in hall.session.answer(1, line)


def test_a_defect_is_told_and_ends_nothing(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_machine: object) -> list[str]:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(type(hall.machine), "sticks", broken)
    reply = json.loads(hall.session.answer(1, b'{"id":3,"command":{"command":"sticks"}}\n'))
    assert reply["id"] == 3 and "a defect of the installer" in reply["error"]


def test_nobody_ends_what_needs_nobody() -> None:
    hall = Hall()
    hall.session.update(stage="looking")
    assert hall.ask(Leave(mode="reboot")).error
    assert hall.session.orders.empty() and hall.session.state.stage == "looking"


def test_consoles_of_front_ends(hall: Hall) -> None:
    hall.ask(Attach(name="ttyS0", console="ttyS0"), client=1)
    assert hall.session.consoles() == {"ttyS0"}
    hall.ask(Attach(name="tty1", console="tty1"), client=2)
    assert hall.session.consoles() == {"ttyS0", "tty1", "tty0"}
    hall.session.gone(1)
    assert hall.session.consoles() == {"tty1", "tty0"}


def test_a_draft_from_an_answer_is_that_answer() -> None:
    answer = load(MINIMAL).answer
    again, problems = check(document_of(answer))
    assert not problems and again == answer


def test_changing_a_draft_leaves_the_old_one() -> None:
    before = {"a": {"b": 1}}
    assert with_value(before, ("a", "c", "d"), 2) == {"a": {"b": 1, "c": {"d": 2}}}
    assert with_value(before, ("a", "b"), None) == {"a": {}}
    assert before == {"a": {"b": 1}}
