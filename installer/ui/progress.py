"""How far an installation is, from its events. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from installer.report.events import Event
from installer.report.lines import line
from installer.session.outlook import INSTALLATION
from installer.session.protocol import Step

LOG_LINES = 500


@dataclass(frozen=True)
class Stage:
    """A step that has ended. seconds: how long it took."""

    text: str
    seconds: float
    success: bool


@dataclass(frozen=True)
class Progress:
    """All events so far, folded. part: how much of the current step is done, 0 to 1."""

    current: str = ""
    part: float = 0.0
    stages: tuple[Stage, ...] = ()
    log: tuple[str, ...] = ()

    def after(self, event: Event) -> Progress:
        """The progress with one more event."""
        log = (*self.log, line(event))[-LOG_LINES:] if event.phase != "start" else self.log
        if event.path == (INSTALLATION,) and event.phase == "start":
            return Progress(log=log)
        if len(event.path) != 2 or event.path[0] != INSTALLATION:
            return replace(self, log=log)
        text = event.path[1]
        match event.phase:
            case "start":
                return replace(self, current=text, part=0.0, log=log)
            case "progress":
                part = event.done_bytes / max(event.total_bytes, 1)
                return replace(self, current=text, part=part, log=log)
            case "finish":
                stage = Stage(text, event.seconds, event.result == "success")
                return Progress(stages=(*self.stages, stage), log=log)
        return replace(self, log=log)

    def done(self, steps: Sequence[Step]) -> float:
        """How much of these steps is done, 0 to 1, by their weights.

        Steps come in their order: what is before the current one has been done, in this run or
        in one before it that failed later.
        """
        total = sum(step.weight for step in steps)
        if not total:
            return 0.0
        texts = [step.text for step in steps]
        if self.current in texts:
            number = texts.index(self.current)
            part = steps[number].weight * self.part
        else:
            last = next((x.text for x in reversed(self.stages) if x.text in texts), "")
            number, part = (texts.index(last) + 1 if last else 0), 0.0
        return (sum(step.weight for step in steps[:number]) + part) / total
