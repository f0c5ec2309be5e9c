"""What the documents say that machines post: from an installer, its webhook, or an agent. Pure.

Three kinds are told apart by their fields; all are described in docs/reporting.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.core.errors import SlipwayError
from image.serve.states import Report

# How far an installation is, in percent of the way to a node that is ready, when the installer
# says these words. Between the two around an image, its bytes count.
MILESTONES = {
    "plan made": 5,
    "disks ready": 10,
    "image unpacked": 60,
    "installed": 70,
}
UNPACKING = (10, 60)
# The step around all that may change a disk.
INSTALLATION = ["installation"]
INSTALLED = 70
WEBHOOK = {"start": "the installation started", "success": "installed", "failure": ""}


class BadNews(SlipwayError):
    """A posted document is none that a machine of ours would post."""


@dataclass(frozen=True)
class News:
    """One thing that happened on a machine.

    text: for its history, empty for what is progress only; step, percent: how far it is; report:
    what it means for the machine's state; started: the disks are about to be written; log: the
    machine's log.
    """

    text: str = ""
    step: str = ""
    percent: int = 0
    report: Report | None = None
    started: bool = False
    log: str = ""


def read(document: object) -> News:
    """What one document says. Raises BadNews."""
    if not isinstance(document, dict):
        raise BadNews("a report is a JSON object")
    if "phase" in document:
        return _event(document)
    if "stage" in document:
        return _agent(document)
    if document.get("event") in WEBHOOK:
        return _webhook(document)
    raise BadNews("a report has a field event, phase or stage")


def _webhook(document: Mapping[str, Any]) -> News:
    if document["event"] == "start":
        return News(WEBHOOK["start"], "start", 1, started=True)
    if document["event"] == "success":
        return News(WEBHOOK["success"], "restart", INSTALLED, "installed", started=True)
    error = document.get("error")
    parts = error if isinstance(error, dict) else {}
    words = [str(parts[name]) for name in ("where", "message", "hint") if parts.get(name)]
    reason = ": ".join(words) or "the installer gave no reason"
    return News(reason, "", 0, "failed", started=True, log=_text(document.get("log")))


def _event(document: Mapping[str, Any]) -> News:
    """One event of the installer's own stream."""
    path = document.get("path")
    step = _text(path[-1]) if isinstance(path, list) and path else ""
    text = _text(document.get("text"))
    match document.get("phase"):
        case "message":
            report: Report | None = "installed" if text == "installed" else None
            return News(text, step, MILESTONES.get(text, 0), report)
        case "failure":
            return News(text, step, report="failed")
        case "progress":
            return News("", step, _unpacked(document))
        case "start" | "finish":
            return News("", step, started=path == INSTALLATION)
    raise BadNews("phase is start, progress, finish, message or failure")


def _unpacked(document: Mapping[str, Any]) -> int:
    done, total = document.get("done_bytes"), document.get("total_bytes")
    if not isinstance(done, int) or not isinstance(total, int) or not 0 <= done <= total != 0:
        return 0
    low, high = UNPACKING
    return low + (high - low) * done // total


def _agent(document: Mapping[str, Any]) -> News:
    """The status of a node's agent."""
    steps = document.get("steps")
    states = [
        step.get("state")
        for step in (steps.values() if isinstance(steps, dict) else ())
        if isinstance(step, dict)
    ]
    done = INSTALLED + (100 - INSTALLED) * states.count("done") // max(len(states), 1)
    unmet = document.get("unmet")
    reason = "; ".join(_text(item) for item in unmet) if isinstance(unmet, list) else ""
    match document.get("stage"):
        case "ready":
            return News("ready", "ready", 100, "ready")
        case "failed" | "waiting for operator":
            return News(reason or _text(document["stage"]), "agent", done, "agent-failed")
        case "converging" | "retrying" | "not started":
            return News("", f"agent: {reason}" if reason else "agent", min(done, 99))
    raise BadNews("stage is none of the agent's")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
