"""The rescue's commands of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.core.errors import SlipwayError
from installer.answers.system import MINIMUM_PASSWORD
from installer.rescue import execute
from installer.rescue.plan import Candidate, candidates, plan_mount, plan_search
from installer.session.protocol import FoundSystem, Rescue

if TYPE_CHECKING:
    from installer.session.session import Session


def carry_out(session: Session, command: Rescue) -> dict[str, Any]:
    """Do what a person asks for; gives what there is to say. Raises SlipwayError."""
    if session.state.stage not in ("choosing", "failed", "rescue"):
        raise SlipwayError("this is not the time for a rescue")
    match command.action:
        case "find":
            return _find(session)
        case "mount":
            return _mount(session, command.system)
        case "boot-loader":
            _mounted(session)
            return {"said": "; ".join(execute.make_boot_loader())}
        case "password":
            return _password(session, command.password.get_secret_value())
    let_go(session)
    return {}


def _find(session: Session) -> dict[str, Any]:
    session.update(stage="rescue", busy="looking for installed systems ...", found=False)
    try:
        execute.release()
        for action in plan_search(session.probe()):
            execute.execute(action)
        place = str(execute.PLACE)
        found = list(execute.look(candidates(execute.rows(), execute.datasets(), place)))
        session.update(systems=tuple(system for _candidate, system in found), found=True)
    finally:
        session.update(busy="")
    return {}


def _mount(session: Session, number: int) -> dict[str, Any]:
    systems = session.state.systems
    if number >= len(systems):
        raise SlipwayError("there is no such system: look for them again")
    if any(system.place for system in systems):
        raise SlipwayError("another system is mounted: unmount it first")
    system = systems[number]
    place = str(execute.PLACE)
    found = candidates(execute.rows(), execute.datasets(), place)
    candidate = next((x for x in found if _is(x, system)), None)
    if candidate is None:
        raise SlipwayError("is gone: look for installed systems again", where=system.device)
    for action in plan_mount(candidate):
        execute.execute(action)
    mounted = system.model_copy(update={"place": place})
    session.update(systems=(*systems[:number], mounted, *systems[number + 1 :]))
    return {}


def _is(candidate: Candidate, system: FoundSystem) -> bool:
    return (candidate.device, ",".join(candidate.options)) == (system.device, system.options)


def _mounted(session: Session) -> FoundSystem:
    for system in session.state.systems:
        if system.place:
            return system
    raise SlipwayError("mount a system first")


def _password(session: Session, password: str) -> dict[str, Any]:
    system = _mounted(session)
    if len(password) < MINIMUM_PASSWORD or not password.isprintable():
        raise SlipwayError(f"expected {MINIMUM_PASSWORD} or more printable characters")
    execute.set_root_password(password)
    return {"said": f"the password of root is set in {system.name}"}


def let_go(session: Session) -> None:
    """Nothing of an installed system is in use any more. Raises SlipwayError."""
    execute.end()
    session.update(systems=(), found=False)
