"""A node made of words, steps that change it, time that stands still, and power that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.converge import Pace, Run
from agent.journal import Journal
from agent.plan import Progress
from agent.step import Fatal, Step


class PowerCut(BaseException):
    """No program handles it."""


@dataclass
class Power:
    """Fails at the given one of the points that are passed. passed: how many there were."""

    fails_at: int = 0
    passed: int = 0

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.fails_at:
            raise PowerCut


@dataclass
class FakeTime:
    """Seconds that pass only while somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def pace(self, budget: float = 600.0) -> Pace:
        return Pace(budget, self.monotonic, self.sleep, jitter=lambda _least, most: most)


class FakeStep(Step):
    """Puts two words into the node, and sees only the first: the second shows in the proof.

    errors: raised by the first tries to prove, one each.
    """

    def __init__(
        self,
        name: str,
        node: set[str],
        *,
        needs: tuple[str, ...] = (),
        errors: tuple[Exception, ...] = (),
        input: str = "input",
        point: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.node = node
        self.needs = needs
        self.errors = list(errors)
        self.input = input
        self.point = point

    def desired(self) -> object:
        return self.input

    def observe(self) -> tuple[str, ...]:
        self.point()
        return () if f"{self.name}: seen" in self.node else (f"{self.name}: seen",)

    def act(self) -> None:
        self.point()
        self.node.add(f"{self.name}: seen")
        self.point()
        self.node.add(f"{self.name}: hidden")
        self.point()

    def prove(self) -> str:
        self.point()
        if self.errors:
            raise self.errors.pop(0)
        if f"{self.name}: hidden" not in self.node:
            raise Fatal("half of it is missing")
        return ""


def converge(
    journal: Journal, *steps: Step, time: FakeTime | None = None, budget: float = 600.0
) -> Mapping[str, Progress]:
    """Run the agent once over these steps."""
    time = time or FakeTime()
    return Run(steps, journal, lambda _progress: None, time.pace(budget)).converge()
