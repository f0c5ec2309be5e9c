"""The attended part of a session: the engine does what people ask for, until they leave."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.core.errors import SlipwayError
from installer import medium
from installer.answers.schema import Answer
from installer.engine import Engine, MediumCheck, explained
from installer.plan.model import Plan
from installer.plan.show import action_text
from installer.session.draft import document_of
from installer.session.protocol import Failure, Leave, Retry, Start
from installer.session.session import Session

log = logging.getLogger("installer")


def attend(
    session: Session,
    engine: Engine,
    answer: Answer | None,
    failure: SlipwayError | None,
    *,
    rescue: bool = False,
) -> None:
    """Serve people until they leave. answer, failure: of an installation that needed nobody."""
    _prepare(session)
    if failure:
        session.update(attended=True)
        session.fail(failure_of(failure, engine))
    elif rescue:
        session.update(attended=True, stage="rescue")
    else:
        session.choose()
    if answer:
        session.draft = document_of(answer)
    session.watch()
    Attended(session, engine, answer).serve()


def _prepare(session: Session) -> None:
    """What a person needs; each part that fails leaves the others."""
    steps: tuple[Callable[[], object], ...] = (
        session.machine.keep_consoles_quiet,
        session.probe,
        lambda: session.update(access=session.machine.open_ssh()),
    )
    for step in steps:
        try:
            step()
        except (SlipwayError, OSError) as error:
            log.warning("%s", error)


class Attended:
    """Carries out the orders of people, one after the other."""

    def __init__(self, session: Session, engine: Engine, answer: Answer | None) -> None:
        self._session = session
        self._engine = engine
        self._answer = answer
        self._plan: Plan | None = None

    def serve(self) -> None:
        """Until somebody wants to leave."""
        while not isinstance(order := self._session.orders.get(), Leave):
            try:
                failure = self._install(order)
            except Exception as error:
                failure = explained(error)
                self._engine.report.failure(failure)
            if failure:
                self._session.fail(failure_of(failure, self._engine))
            else:
                self._session.update(stage="installed", address=self._address())
        self._engine.report.message(f"a person asks for: {order.mode}")
        self._session.machine.leave(order.mode)

    def _install(self, order: Start | Retry) -> SlipwayError | None:
        if isinstance(order, Start):
            self._answer, self._plan = self._session.outlook.answer, self._session.outlook.plan
        if self._answer is None:
            raise SlipwayError("there is no answer to install", hint="change the choices")
        return self._engine.install(
            self._answer,
            MediumCheck(medium.load()),
            confirmed=self._plan,
            resume=isinstance(order, Retry) and order.begin == "failed",
        )

    def _address(self) -> str:
        view = self._session.state.plan
        return view.address if view else ""


def failure_of(error: SlipwayError, engine: Engine) -> Failure:
    """The error as front ends show it, with the step that it came in."""
    begun = engine.begun
    step = action_text(begun.installation.plan.actions[begun.reached]) if begun else ""
    return Failure(
        message=error.message,
        where=error.where or "",
        hint=error.hint or "",
        step=step,
        retry=begun is not None,
    )
