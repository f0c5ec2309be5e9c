"""Who is asked, and that a dead node holds nobody up."""

from __future__ import annotations

import threading
from itertools import islice

from agent.overview.ask import Watch
from agent.overview.model import Answer, Subject
from tests.unit.overview.world import about_cluster, cluster, node

LIMIT = 30.0


class Nodes:
    """Nodes that answer by their addresses; those in `silent` only when `release` is set."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.release = threading.Event()
        self.cluster = about_cluster()
        self.asked: list[str] = []

    def fetch(self, host: str, subject: Subject) -> Answer:
        self.asked.append(host)
        if subject == "cluster":
            return self.cluster
        if host in self.silent:
            assert self.release.wait(LIMIT)
            return Answer(error="does not answer")
        return node()


def test_every_member_is_asked_for_itself_and_this_node_for_the_cluster() -> None:
    nodes = Nodes()
    found = Watch("node1", nodes.fetch).once()
    assert sorted(nodes.asked) == ["127.0.0.1", "127.0.0.1", "192.0.2.2", "192.0.2.3"]
    assert list(found.nodes) == ["node1", "node2", "node3"]
    assert {answer.error for answer in found.nodes.values()} == {""}
    assert found.problems == ()


def test_a_node_alone() -> None:
    nodes = Nodes()
    nodes.cluster = Answer(error="does not answer")
    found = Watch("node1", nodes.fetch).once()
    assert list(found.nodes) == ["node1"]
    assert found.cluster.error == "does not answer"


def test_a_dead_node_holds_nobody_up() -> None:
    nodes = Nodes()
    nodes.silent = {"192.0.2.3"}
    watch = Watch("node1", nodes.fetch)
    seen = []
    try:
        for found in watch.follow(0.01):
            seen.append(found)
            if found.nodes.get("node2", Answer()).heard is not None:
                break
            assert len(seen) < 1000
    finally:
        nodes.release.set()
    assert seen[-1].nodes["node3"] == Answer()


def test_the_last_words_of_a_silent_node_are_kept_with_their_age() -> None:
    now = [100.0]
    watch = Watch("node1", Nodes().fetch, clock=lambda: now[0])
    watch.once()
    now[0] += 40
    watch.take("node2", Answer(error="does not answer"))
    found = watch.overview().nodes["node2"]
    assert (found.heard, found.error) == (40, "does not answer")
    assert found.parts == node().parts


def test_a_member_that_joins_later_is_asked_too() -> None:
    nodes = Nodes()
    few = cluster()
    few["members"] = few["members"][:2]
    nodes.cluster = about_cluster(few)
    watch = Watch("node1", nodes.fetch)
    following = watch.follow(0.01)
    assert "node3" not in next(following).nodes
    nodes.cluster = about_cluster()
    assert any("node3" in found.nodes for found in islice(following, 1000))
    following.close()
