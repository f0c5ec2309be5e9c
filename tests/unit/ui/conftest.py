"""A session with a machine that is not there, as the tests of front ends need it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from installer.session.protocol import Command, Reply
from installer.session.session import Session, command_line
from installer.ui.dialogue import Dialogue
from installer.ui.page import Do
from tests.unit.ui.machines import FakeMachine


@dataclass
class Hall:
    """A session and its front ends, without threads: everything happens when it is called for.

    told: what has been published, by topic; done: what front ends wanted of themselves.
    """

    machine: FakeMachine = field(default_factory=FakeMachine)
    told: dict[str, str] = field(default_factory=dict)
    dialogues: list[Dialogue] = field(default_factory=list)
    done: list[Do] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = Session(self.machine, self.publish)

    def publish(self, topic: str, text: str) -> None:
        self.told[topic] = text
        for dialogue in self.dialogues:
            self.tell(dialogue, topic)

    def tell(self, dialogue: Dialogue, topic: str) -> None:
        dialogue.receive(f'{{"{topic}":{self.told[topic]}}}'.encode())

    def begin(self) -> None:
        """The engine waits for choices."""
        self.session.probe()
        self.session.choose()
        self.think()

    def think(self) -> None:
        """Plan with the draft, as a thread of the session does."""
        if self.session.inventory and self.session.state.stage == "choosing":
            self.session.tell_outlook(self.session.draft, self.session.inventory)

    def enter(self, name: str) -> Dialogue:
        """A new front end."""
        dialogue = Dialogue(self._sender(len(self.dialogues)), self.done.append, name)
        self.dialogues.append(dialogue)
        dialogue.connected(name)
        for topic in self.told:
            self.tell(dialogue, topic)
        return dialogue

    def _sender(self, number: int) -> Callable[[bytes], None]:
        def send(line: bytes) -> None:
            self.sent.append(line)
            reply = self.session.answer(number, line)
            self.think()
            self.dialogues[number].receive(reply)

        return send

    def ask(self, command: Command, client: int = 99) -> Reply:
        """One command of a program that draws nothing."""
        reply = Reply.model_validate_json(self.session.answer(client, command_line(1, command)))
        self.think()
        return reply

    def state(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.told["state"])
        return told


@pytest.fixture
def hall() -> Hall:
    hall = Hall()
    hall.begin()
    return hall
