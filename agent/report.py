"""Reporting: every change of the agent's progress becomes the published status and the banner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from agent import banner, clock, node, status
from agent.config import NodeConfig
from agent.core.errors import SlipwayError
from agent.journal import Journal
from agent.plan import Progress


def build(progress: Mapping[str, Progress], journal: Journal) -> status.Status:
    """The status that this progress adds up to, without facts about the node."""
    stage = status.stage_of(progress)
    return status.Status(
        stage=stage,
        ready=stage == "ready",
        unmet=status.unmet_of(progress),
        steps={
            name: status.StepStatus(
                state=step.state,
                reason=step.reason,
                seconds=round(step.seconds, 3),
                acted=journal.record(name).acted,
            )
            for name, step in progress.items()
        },
    )


class Reporter:
    """Publishes the status of one run. Facts that may still change are read until they are known,
    and all of them once more when the node is ready."""

    def __init__(
        self,
        config: NodeConfig,
        journal: Journal,
        status_path: Path,
        banner_path: Path,
        tell: Callable[[status.Status], None] = lambda _: None,
    ) -> None:
        """tell: told every status as well."""
        self.config = config
        self.journal = journal
        self.status_path = status_path
        self.banner_path = banner_path
        self.tell = tell
        self.status = status.NOT_STARTED

    def changed(self, progress: Mapping[str, Progress]) -> None:
        """Publish this progress. Raises OSError, ToolMissing."""
        now = build(progress, self.journal)
        facts = self.status.node
        if facts is None or not facts.address or now.ready:
            facts = node.facts(self.config.fqdn, self.config.management_interface)
        self.status = now.model_copy(
            update={"node": facts, "clock": _clock() if now.ready else "unknown"}
        )
        status.publish(self.status, self.status_path)
        banner.show(self.status, self.banner_path)
        self.tell(self.status)


def _clock() -> status.Clock:
    try:
        return "synchronized" if clock.synchronized() else "not synchronized"
    except SlipwayError:
        return "unknown"
