"""A cluster of three, as the commands print it, healthy until a test changes it."""

from __future__ import annotations

from typing import Any

from agent.overview.model import Answer, Overview, Part

NAMES = ("node1", "node2", "node3")


def cluster() -> dict[str, Any]:
    """`slipway cluster status --json`, as far as it is looked at."""
    members = [
        {
            "name": name,
            "id": number,
            "addresses": [f"192.0.2.{number}", f"198.51.100.{number}"],
            "state": "online",
            "lost_links": [],
        }
        for number, name in enumerate(NAMES, 1)
    ]
    return {
        "members": members,
        "quorum": {"quorate": True, "nodes": 3, "online": 3, "may_fail": 1},
        "ha": True,
        "why_off": "",
        "advice": [],
        "guests": {"stale": []},
    }


def storage(used: int = 10, *, in_use: bool = True) -> dict[str, Any]:
    """A row of `slipway storage list --json`."""
    return {"name": "local", "in_use": in_use, "capacity_bytes": 100, "used_bytes": used}


def job(age: float | None = 60, error: str = "") -> dict[str, Any]:
    """A row of `slipway replicate list --json`."""
    return {
        "guest": "web",
        "source": "node1",
        "target": "node2",
        "every": 60,
        "age": age,
        "error": error,
    }


def node(**parts: Any) -> Answer:
    """What a node says. parts: instead of those of a healthy node."""
    values: dict[str, Any] = {
        "status": {"stage": "ready", "unmet": [], "clock": "synchronized"},
        "guests": {"guests": []},
        "storages": {"storages": [storage()]},
        "templates": {"templates": []},
    }
    return Answer(parts={name: Part(value=each) for name, each in (values | parts).items()})


def about_cluster(state: dict[str, Any] | None = None, **parts: Any) -> Answer:
    """What a node says about the cluster."""
    values: dict[str, Any] = {
        "cluster": state or cluster(),
        "guests": {"guests": []},
        "ha": {"guests": []},
        "replicas": {"jobs": [job()]},
    }
    return Answer(parts={name: Part(value=each) for name, each in (values | parts).items()})


def overview(state: dict[str, Any] | None = None, **nodes: Answer) -> Overview:
    """All of it, seen from node1."""
    found = {name: node() for name in NAMES} | nodes
    return Overview(node="node1", cluster=about_cluster(state), nodes=found)
