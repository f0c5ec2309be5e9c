"""Asking every node, all at once, each with a limit: a dead one holds nobody up."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import requests
from pydantic import ValidationError

from agent.cluster import tunnel
from agent.overview.model import Answer, Overview, Subject
from agent.overview.problems import alone, problems

# The server collects for at most half a minute. The tunnel gives a dead node up after 5 seconds.
ANSWER_SECONDS = 35.0
# A page shows what has come so far at most so often.
PAUSE_SECONDS = 0.5
Fetch = Callable[[str, Subject], Answer]


def fetch(host: str, subject: Subject) -> Answer:
    """What a node says; its error when it says nothing. host: an address of it."""
    place = f"[{host}]" if ":" in host else host
    url = f"http://{place}:{tunnel.OVERVIEW}/{subject}"
    with requests.Session() as session:
        # Members are reached directly, whatever proxy there is for the rest of the world.
        session.trust_env = False
        try:
            answer = session.get(url, timeout=ANSWER_SECONDS)
            answer.raise_for_status()
            return Answer.model_validate_json(answer.content)
        except requests.Timeout:
            return Answer(error=f"does not answer within {ANSWER_SECONDS:g} seconds")
        except (requests.RequestException, ValidationError):
            return Answer(error="does not answer")


@dataclass
class Watch:
    """What is known so far. own: this node's name."""

    own: str
    fetch: Fetch = fetch
    clock: Callable[[], float] = time.monotonic
    _heard: dict[str, tuple[float, Answer]] = field(default_factory=dict)
    _errors: dict[str, str] = field(default_factory=dict)

    def follow(self, seconds: float) -> Generator[Overview, None, None]:
        """The overview as often as something new is known. seconds: between two looks at a node."""
        asking: dict[str, Future[Answer]] = {}
        due: dict[str, float] = {}
        with ThreadPoolExecutor(max_workers=64) as pool:
            while True:
                for name, (host, subject) in self.places().items():
                    if name not in asking and self.clock() >= due.get(name, 0):
                        due[name] = self.clock() + seconds
                        asking[name] = pool.submit(self.fetch, host, subject)
                wait(asking.values(), timeout=PAUSE_SECONDS)
                ended = [name for name, answer in asking.items() if answer.done()]
                for name in ended:
                    self.take(name, asking.pop(name).result())
                if ended and self._knows_itself():
                    yield self.overview()
                if not asking:
                    time.sleep(PAUSE_SECONDS)

    def once(self) -> Overview:
        """Ask everybody once."""
        first = self.places()
        with ThreadPoolExecutor(max_workers=64) as pool:
            self._ask(pool, first)
            # The members are known now.
            self._ask(pool, {k: v for k, v in self.places().items() if k not in first})
        return self.overview()

    def places(self) -> dict[str, tuple[str, Subject]]:
        """Whom to ask for what: this node for the cluster (""), and every node for itself."""
        found: dict[str, tuple[str, Subject]] = {"": ("127.0.0.1", "cluster")}
        found[self.own] = ("127.0.0.1", "node")
        for member in self._members():
            if member["name"] != self.own and member["addresses"]:
                found[member["name"]] = (member["addresses"][0], "node")
        return found

    def take(self, name: str, answer: Answer) -> None:
        """Remember what a node said. Of one that is silent the last words are kept."""
        self._errors[name] = answer.error
        if not answer.error:
            self._heard[name] = (self.clock(), answer)

    def overview(self) -> Overview:
        """All of it."""
        nodes = {name: self._answer(name) for name in self.places() if name}
        cluster = self._answer("")
        found = Overview(node=self.own, alone=alone(cluster), cluster=cluster, nodes=nodes)
        return found.model_copy(update={"problems": problems(found)})

    def _answer(self, name: str) -> Answer:
        error = self._errors.get(name, "")
        if name not in self._heard:
            return Answer(error=error)
        at, answer = self._heard[name]
        return Answer(parts=answer.parts, error=error, heard=round(self.clock() - at, 1))

    def _knows_itself(self) -> bool:
        return "" in self._errors and self.own in self._errors

    def _members(self) -> list[dict[str, Any]]:
        part = self._answer("").parts.get("cluster")
        return part.value["members"] if part and part.value else []

    def _ask(self, pool: ThreadPoolExecutor, places: dict[str, tuple[str, Subject]]) -> None:
        asking = {name: pool.submit(self.fetch, *place) for name, place in places.items()}
        for name, answer in asking.items():
            self.take(name, answer.result())
