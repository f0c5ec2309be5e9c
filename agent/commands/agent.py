"""`slipway agent run`: bring the node to what its configuration says. The unit runs it."""

from __future__ import annotations

import argparse
import fcntl
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from agent import banner, config, console, journal, stack, status
from agent.converge import Run, describe
from agent.core.errors import SlipwayError
from agent.plan import Progress
from agent.report import Reporter
from agent.steps import all_steps
from agent.webhook import webhook

LOCK = Path("/run/slipway/agent.lock")
# The unit is started again by systemd after TRY_AGAIN, and left alone after OPERATOR_NEEDED.
READY, TRY_AGAIN, OPERATOR_NEEDED = 0, 3, 4

log = logging.getLogger(__name__)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `agent` to the command line."""
    parser = commands.add_parser("agent", help="the first-boot agent")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser(
        "run",
        help="bring the node to what its configuration says",
        description="Run every step that is needed. Exit status: 0 ready, 3 not ready yet, "
        "4 a person is needed.",
    ).set_defaults(function=run)


def run(_options: argparse.Namespace) -> int:
    """Run the agent once and return its exit status. Raises SlipwayError if one runs already."""
    console.set_up()
    with only_one(LOCK):
        log.info("started")
        try:
            settings = config.load(config.PATH)
            steps = all_steps(settings, stack.load(stack.PATH))
        except SlipwayError as error:
            log.error("failed: %s", describe(error))
            unmet = (describe(error),)
            status.publish(status.Status(stage="failed", ready=False, unmet=unmet), status.PATH)
            return OPERATOR_NEEDED
        memory = journal.Journal(journal.PATH)
        with webhook() as hook:
            tell = [hook.tell] if hook else []
            reporter = Reporter(settings, memory, status.PATH, banner.PATH, *tell)
            progress = Run(steps, memory, reporter.changed).converge()
            ended = outcome(progress, reporter.status)
        return ended


def outcome(progress: Mapping[str, Progress], reached: status.Status) -> int:
    """Say what was reached. Returns the exit status."""
    if reached.ready:
        log.info("ready %s", reached.node.web_url if reached.node else "")
        return READY
    log.error("not ready: %s", "; ".join(reached.unmet))
    again = any(step.state == "failed" and step.retry_at is not None for step in progress.values())
    return TRY_AGAIN if again else OPERATOR_NEEDED


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold the agent's lock. Raises SlipwayError when another agent holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SlipwayError(
                "the agent is running already", hint="see what it does: slipway status"
            ) from error
        yield
