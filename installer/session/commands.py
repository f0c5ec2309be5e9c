"""What each command of a front end does to the session."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.core.errors import SlipwayError
from installer.answers.places import FILE_NAME
from installer.answers.system import MINIMUM_PASSWORD
from installer.report.webhooks import mask, secrets_in
from installer.session.answer_file import answer_file
from installer.session.draft import value_at
from installer.session.protocol import (
    AnswerFile,
    Attach,
    Choose,
    Command,
    ImportKeys,
    Leave,
    Probe,
    Rescue,
    Retry,
    SendLog,
    Set,
    SetLanguage,
    SetPassword,
    Start,
    Sticks,
)

if TYPE_CHECKING:
    from installer.session.session import Session

LOG = Path("/run/slipway/installer.log")
LOG_BYTES = 1 << 20
LOG_NAME = "slipway-installer.log"
log = logging.getLogger("installer")
Result = dict[str, Any]


def carry_out(session: Session, client: int, command: Command) -> Result:
    """Do what one command asks for; gives what its reply tells. Raises SlipwayError."""
    match command:
        case Attach():
            session.attach(client, command.name, command.console)
        case Set():
            _set(session, client, command)
        case SetPassword():
            _set_password(session, client, command)
        case SetLanguage():
            session.update(language=command.language)
        case Start() | Retry():
            session.order(command)
        case Leave():
            _leave(session, command)
        case Choose():
            _choose(session)
        case Probe():
            session.probe()
        case _:
            return _tell(session, client, command)
    return {}


def _tell(session: Session, client: int, command: Command) -> Result:
    match command:
        case ImportKeys():
            return _import_keys(session, client, command)
        case AnswerFile():
            return _answer_file(session, command)
        case Sticks():
            return {"sticks": session.machine.sticks()}
        case SendLog():
            return _send_log(session, command)
        case Rescue():
            from installer.rescue.session import carry_out as rescue

            return rescue(session, command)
    raise SlipwayError(f"the command {command.command} is not known here")


def _set(session: Session, client: int, command: Set) -> None:
    session.set(client, command)
    if command.path == ("global", "keyboard"):
        session.machine.set_keyboard(str(command.value))


def _set_password(session: Session, client: int, command: SetPassword) -> None:
    password = command.password.get_secret_value()
    if len(password) < MINIMUM_PASSWORD or not password.isprintable():
        raise SlipwayError(f"expected {MINIMUM_PASSWORD} or more printable characters")
    hashed = session.machine.hash_password(password)
    session.set(client, Set(path=("global", "root-password-hashed"), value=hashed))


def _choose(session: Session) -> None:
    if session.state.stage not in ("failed", "rescue"):
        raise SlipwayError("nothing can be changed now")
    if session.state.stage == "rescue":
        from installer.rescue.session import let_go

        let_go(session)
    session.choose()


def _leave(session: Session, command: Leave) -> None:
    if session.state.stage == "rescue":
        from installer.rescue.session import let_go

        try:
            let_go(session)
        except SlipwayError as error:
            # What is still in use ends with the machine.
            log.warning("%s", error)
    session.order(command)


def _import_keys(session: Session, client: int, command: ImportKeys) -> Result:
    path = ("global", "root-ssh-keys")
    added = session.machine.public_keys(command.source)
    known = value_at(session.draft, path) or []
    session.set(client, Set(path=path, value=list(dict.fromkeys([*known, *added]))))
    return {"keys": len(added)}


def _answer_file(session: Session, command: AnswerFile) -> Result:
    if session.inventory is None:
        raise SlipwayError("there are no choices yet")
    text = answer_file(session.draft, session.inventory)
    if command.device:
        session.machine.save(command.device, FILE_NAME, text.encode())
    return {"text": text}


def _send_log(session: Session, command: SendLog) -> Result:
    try:
        text = LOG.read_bytes()[-LOG_BYTES:].decode(errors="replace")
    except OSError as error:
        raise SlipwayError(f"cannot be read: {error.strerror}", where=str(LOG)) from None
    if session.outlook.answer:
        text = mask(text, secrets_in(session.outlook.answer))
    if command.device:
        session.machine.save(command.device, LOG_NAME, text.encode())
    elif command.url:
        session.machine.send(command.url, {"log": text})
    else:
        raise SlipwayError("expected an address or a USB stick")
    return {"bytes": len(text)}
