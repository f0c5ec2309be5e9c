"""The real console program on real pseudo terminals, with a session behind the real socket."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from installer.inventory.model import Inventory
from installer.plan.model import Plan
from installer.report.events import Event, Report
from installer.report.server import EventServer
from installer.session.draft import Document
from installer.session.outlook import INSTALLATION, Outlook, look_ahead, steps_of
from installer.session.protocol import Start
from installer.session.session import Session
from tests.unit.ui.machines import PASSWORD, FakeMachine
from tests.unit.ui.terminals import LIMIT, Terminal, terminal

# What a serial line of 9600 baud carries, in bytes a second (8N1), and what a person waits for
# the effect of a key.
SLOW_LINE = 960
PATIENCE = 0.5
MIB = 1 << 20


@dataclass
class Engine:
    """A session with its socket; report: to everybody who is connected."""

    session: Session
    report: Report
    path: Path

    def confirmed(self) -> Plan:
        """What a person has started."""
        assert isinstance(self.session.orders.get(timeout=30), Start)
        assert self.session.outlook.plan
        self.session.update(steps=steps_of(self.session.outlook.plan))
        return self.session.outlook.plan


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    servers: list[EventServer] = []

    def publish(topic: str, text: str) -> None:
        for server in servers:
            server.publish(topic, text)

    session = Session(FakeMachine(), publish)
    path = tmp_path / "installer.sock"
    servers.append(EventServer(path, session))
    session.probe()
    session.choose()
    session.watch()
    yield Engine(session, Report([servers[0]]), path)
    servers[0].close(seconds=0)


def to_summary(person: Terminal) -> None:
    """Through all pages with what is offered, and a password."""
    person.wait_for("1/7")
    for page in ("2/7", "3/7", "4/7"):
        person.press("f9")
        person.wait_for(page)
    person.press(PASSWORD, "tab", PASSWORD, "f9")
    for page in ("5/7", "6/7", "7/7"):
        person.wait_for(page)
        person.press("f9")
    person.wait_for("ERASED")


def confirm(person: Terminal) -> None:
    person.go_to("Type")
    person.press("erase")
    person.go_to("Install now")
    person.press("enter")
    person.wait_for("Installing")


def test_an_installation_from_the_first_key_to_the_last(engine: Engine) -> None:
    with terminal(engine.path) as person:
        to_summary(person)
        confirm(person)
        plan = engine.confirmed()
        assert [disk.path for disk in plan.disks if disk.use == "system"] == ["/dev/sda"]
        with engine.report.step(INSTALLATION):
            with engine.report.step("unpack node.squashfs") as progress:
                progress(40 * MIB, 100 * MIB)
                person.wait_for("unpack node.squashfs")
                person.wait_until(lambda: "%" in person.text(), "the bar")
        engine.session.update(stage="installed", address="https://192.0.2.10:9090/")
        person.wait_for("https://192.0.2.10:9090/")
        person.go_to("Switch off")
        person.press("enter")
        person.wait_until(lambda: not engine.session.orders.empty(), "the order")
        assert engine.session.orders.get().command == "leave"


@pytest.mark.parametrize("term", ["vt220", "linux", "xterm", "vt100", "screen"])
def test_kinds_of_terminals(engine: Engine, term: str) -> None:
    with terminal(engine.path, term) as person:
        person.wait_for("1/7 Hardware")
        person.press("f1")
        person.wait_for("Esc closes")
        person.press("esc")
        person.wait_until(lambda: "Esc closes" not in person.text(), "the end of the help")
        person.press("f9")
        person.wait_for("2/7")


def test_a_fresh_serial_line_has_no_size(engine: Engine) -> None:
    with terminal(engine.path, size=(0, 0)) as person:
        person.wait_for("1/7 Hardware")
        person.wait_for("F10 Menu")


def test_two_terminals_show_the_same(engine: Engine) -> None:
    with terminal(engine.path) as one, terminal(engine.path) as other:
        for person in (one, other):
            person.wait_for("1/7")
            for page in ("2/7", "3/7", "4/7"):
                person.press("f9")
                person.wait_for(page)
        one.go_to("Mail address")
        one.press(*["backspace"] * 30, "ops@example.com")
        other.wait_for("ops@example.com")
        other.wait_for("changed by")
        other.go_to("Mail address")
        other.press(".at")
        one.wait_for("ops@example.com.at")


def test_the_end_of_a_terminal_ends_nothing(engine: Engine) -> None:
    with terminal(engine.path) as gone, terminal(engine.path) as killed:
        to_summary(gone)
        killed.wait_for("1/7")
        confirm(gone)
        engine.confirmed()
        gone.close()
        killed.process.kill()
        gone.process.wait(30)
        assert engine.session.state.stage == "installing"
        with engine.report.step(INSTALLATION), engine.report.step("unpack node.squashfs"):
            with terminal(engine.path) as late:
                late.wait_for("unpack node.squashfs")


def test_the_program_goes_on_when_the_engine_starts_again(engine: Engine) -> None:
    with terminal(engine.path) as person:
        person.wait_for("1/7")
        for server in engine.report.listeners:
            assert isinstance(server, EventServer)
            server.close(seconds=0)
        engine.path.unlink()
        person.wait_for("does not answer")
        again = EventServer(engine.path, engine.session)
        engine.session.update(stage="leaving")
        again.publish("state", engine.session.state.model_dump_json())
        person.wait_for("Goodbye")
        again.close(seconds=0)


def test_line_by_line_on_a_dumb_terminal(engine: Engine) -> None:
    with terminal(engine.path, "dumb") as person:
        person.wait_for("=== 1/7 Hardware ===")
        answers = {
            "Language [1]:": "",
            "m menu)": "",
            "Layout [1]:": "",
            "Disks (": "2",
            "Use of each disk": "",
            "Swap": "",
            "Root at most": "",
            "Thin pool": "",
        }
        for question, typed in answers.items():
            person.wait_for(question)
            person.press(typed, "enter")
        person.wait_until(
            lambda: "SER-SDB" in str(engine.session.draft["disk-setup"]), "the other disk"
        )
        person.wait_for("/dev/sdb  32 GiB: ALL OF IT IS ERASED")
        assert b"\x1b" not in person.raw
        person.press("b", "enter")
        person.wait_for("1/7")


@pytest.mark.parametrize("kind", ["vt220", "dumb"])
def test_a_shell_keeps_the_console(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """For the engine the front end is there until the shell has ended."""
    attached: list[int] = []
    gone: list[int] = []
    monkeypatch.setattr(engine.session, "attach", lambda client, *_name: attached.append(client))
    monkeypatch.setattr(engine.session, "gone", gone.append)
    with terminal(engine.path, kind) as person:
        person.wait_for("1/7")
        if kind == "dumb":
            person.press("m", "enter")
            person.wait_for("Shell? [y/N]")
            person.press("y")
        else:
            person.press("f10")
            person.go_to("< Shell >")
        person.press("enter")
        person.wait_for("exit leads back")
        person.press("echo $((6 * 7))", "enter")
        person.wait_for("42")
        assert len(attached) == 1 and attached[0] not in gone
        person.press("exit", "enter")
        person.wait_until(lambda: attached[0] in gone, "the end of the connection")


def test_keys_do_not_wait_for_the_engine(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that a key needs to have an effect is in the front end."""
    free = threading.Event()
    monkeypatch.setattr(engine.session.machine, "set_keyboard", lambda _code: free.wait(LIMIT))
    with terminal(engine.path) as person:
        person.wait_for("1/7")
        for page in ("2/7", "3/7"):
            person.press("f9")
            person.wait_for(page)
        person.go_to("Keyboard")
        person.press("enter")
        person.wait_for("Search")
        person.press("swiss g", "enter")
        person.wait_until(lambda: "Swiss German" in person.text(), "the choice")
        person.go_to("Try the keyboard")
        person.press("abc")
        person.wait_for("[abc")
        person.press("f9")
        person.wait_for("4/7")
        person.press("f8")
        person.wait_for("3/7")
        assert not free.is_set()
        free.set()


def test_the_next_page_comes_when_what_was_typed_is_checked(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F9 just after the last letter, on a machine that takes its time to think."""
    free = threading.Event()

    def slowly(draft: Document, inventory: Inventory) -> Outlook:
        free.wait(LIMIT)
        return look_ahead(draft, inventory)

    with terminal(engine.path) as person:
        to_summary(person)
        for page in ("6/7", "5/7"):
            person.press("f8")
            person.wait_for(page)
        person.go_to("Name with domain")
        person.press(*["backspace"] * 30, "x")
        person.wait_for('"x" is given')
        monkeypatch.setattr("installer.session.session.look_ahead", slowly)
        person.press(".example.com", "f9")
        person.wait_until(lambda: "x.example.com" in str(engine.session.draft), "the name")
        person.settle(1)
        assert "5/7" in person.text()
        free.set()
        person.wait_for("6/7")


def bytes_of(person: Terminal, *keys: str) -> int:
    before = person.received
    person.press(*keys)
    person.settle(0.5)
    return person.received - before


def test_bytes_on_a_slow_line(engine: Engine, tmp_path: Path) -> None:
    """docs/console.md states these figures."""
    figures: dict[str, int] = {}
    with terminal(engine.path) as person:
        person.wait_for("1/7")
        to_summary(person)
        for page in ("6/7", "5/7"):
            person.press("f8")
            person.wait_for(page)
        person.settle(0.5)
        figures["letter"] = max(bytes_of(person, letter) for letter in "abcdefgh")
        figures["move"] = bytes_of(person, "tab")
        figures["page"] = bytes_of(person, "f8")
        engine.session.update(stage="installing", steps=())
        person.wait_for("Installing")
        person.settle(0.5)
        before = person.received
        path = (INSTALLATION, "unpack node.squashfs")
        engine.report.listeners[0](Event(phase="start", path=path))
        person.wait_for("unpack")
        person.settle(0.5)
        before = person.received
        for done in range(1, 11):
            engine.report.listeners[0](
                Event(phase="progress", path=path, done_bytes=done, total_bytes=10)
            )
            person.settle(0.2)
        figures["progress"] = (person.received - before) // 10
    if folder := os.environ.get("SLIPWAY_FIGURES"):
        Path(folder, "console-bytes.txt").write_text(f"{figures}\n")
    for what in ("letter", "move", "progress"):
        assert figures[what] <= SLOW_LINE * PATIENCE, figures
    assert figures["page"] <= 4 * SLOW_LINE, figures
