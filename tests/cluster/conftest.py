"""Laboratories for the tests of a module, and a watch over the running cluster's quorum."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.laboratory import Laboratory, laboratory, why_not_quorate
from tests.cluster.node import Node


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> Iterator[Laboratory]:
    """A laboratory named after the module."""
    name = request.module.__name__.rpartition("_")[2][:6]
    with laboratory(name, ipv6=name == "ipv6") as made:
        yield made


@pytest.fixture(scope="module")
def first(lab: Laboratory) -> Node:
    """The first member of a cluster of two."""
    made = lab.create(1)
    lab.add(2, made)
    return made


def members(lab: Laboratory, first: Node, *numbers: int) -> list[Node]:
    """These members, added where no test before has left them."""
    return [lab.nodes.get(number) or lab.add(number, first) for number in numbers]


@contextmanager
def quorum_kept(member: Node) -> Iterator[None]:
    """Fails when this member had no quorum at any look while the context lasted."""
    lost: list[str] = []
    looks = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal looks
        while not done.wait(0.5):
            looks += 1
            if (said := why_not_quorate(member)) is not None:
                lost.append(said)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    assert looks > 0
    assert not lost, f"no quorum at {len(lost)} of {looks} looks at {member.name}: {lost[0]}"
