"""What a front end knows: the engine's state, its events so far, and what it keeps for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from installer.inventory.model import Inventory
from installer.session.draft import HIDDEN, value_at
from installer.session.protocol import Reply, Set, State
from installer.ui.progress import Progress


@dataclass(frozen=True)
class View:
    """width, height: of the terminal in characters; replies: the last one to each command."""

    state: State = State()
    inventory: Inventory | None = None
    progress: Progress = Progress()
    page: str = "hardware"
    memory: dict[str, str] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    width: int = 80
    height: int = 24
    ascii: bool = False

    def remember(self, name: str, value: str) -> View:
        return replace(self, memory={**self.memory, name: value})

    def at(self, *path: str) -> Any:
        """What the draft has at this path."""
        return value_at(self.state.draft, path)

    def text_at(self, *path: str) -> str:
        """The same as text to edit; nothing for a secret, which stays hidden."""
        value = self.at(*path)
        if isinstance(value, list):
            return ", ".join(map(str, value))
        return "" if value in (None, HIDDEN) else str(value)

    def set(self, path: Sequence[str], value: object) -> Set:
        """The command that changes the draft there."""
        return Set(path=tuple(path), value=value, version=self.state.version)

    def problem(self, *path: str) -> str:
        """What is wrong at this path or below it; a value that is only missing is not wrong."""
        for problem in self.state.problems:
            if problem.given and problem.path[: len(path)] == path:
                return problem.message
        return ""


def listed(text: str) -> list[str]:
    """The words of a line that may have commas and blanks between them."""
    return text.replace(",", " ").split()


def joined(text: str) -> str:
    """The same words as they are shown."""
    return ", ".join(listed(text))
