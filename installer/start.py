"""From the start of the live system to its end: an answer that is found, or people who choose."""

from __future__ import annotations

from agent.core.errors import SlipwayError
from installer import medium
from installer.answers.schema import Answer
from installer.answers.sources import find_answer
from installer.command_line import COMMAND_LINE
from installer.engine import LOG, Engine, MediumCheck, explained
from installer.report.events import Report
from installer.reporting import reporting, start_log
from installer.session.attended import attend
from installer.session.outlook import steps_of
from installer.session.session import Session

# The boot menu's entry for the rescue says this.
RESCUE = "slipway.rescue"


def run(*, unattended: bool = False) -> int:
    """Look for an answer and install, or wait for people. Gives the exit status.

    Without an answer nothing is touched. unattended: end where people would be waited for.
    """
    start_log(LOG)
    with reporting() as (telling, session):
        return _run(telling, session, unattended)


def _run(telling: Report, session: Session, unattended: bool) -> int:
    telling.message("started")
    answer: Answer | None = None
    failure: SlipwayError | None = None
    engine = Engine(telling, LOG, lambda plan: session.update(steps=steps_of(plan)))
    if RESCUE in COMMAND_LINE.read_text().split():
        attend(session, engine, None, None, rescue=True)
        return 0
    try:
        check = MediumCheck(medium.load())
        with telling.step("look for an answer file"):
            loaded = find_answer(telling.message)
        if loaded:
            answer = loaded.answer
            for warning in loaded.warnings:
                telling.message(f"warning: {warning}")
            session.update(stage="installing")
            failure = engine.install(answer, check)
            if failure is None:
                session.machine.leave(answer.global_.reboot_mode)
                return 0
        else:
            telling.message("no answer was found: nothing was touched")
    except Exception as error:
        failure = explained(error)
        telling.failure(failure)
    if failure and answer and answer.global_.reboot_on_error:
        telling.message("the answer says reboot-on-error: restarting")
        session.machine.leave("reboot")
        return 1
    if unattended:
        telling.message(f"the log is in {LOG}")
        return 1 if failure else 0
    attend(session, engine, answer, failure)
    return 0
