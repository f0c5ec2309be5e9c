"""Who hears what the engine tells: the log, every console, a server, and the engine's clients."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.core.consoles import ACTIVE, DEVICES, Consoles
from agent.core.errors import SlipwayError
from installer.command_line import COMMAND_LINE
from installer.report.events import Report
from installer.report.lines import ToConsoles, to_log
from installer.report.remote import ToServer, event_server
from installer.report.server import SOCKET, EventServer
from installer.session.machine import Machine
from installer.session.session import Session


def start_log(path: Path) -> None:
    """Everything goes to this file, and to standard error, which is the journal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [logging.FileHandler(path), logging.StreamHandler()]
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.DEBUG, format=form, handlers=handlers, force=True)


@contextmanager
def reporting() -> Iterator[tuple[Report, Session]]:
    """A report to all of them, and the session with those clients that send commands."""
    servers: list[EventServer] = []

    def publish(topic: str, text: str) -> None:
        for server in servers:
            server.publish(topic, text)

    session = Session(Machine(), publish)
    telling = Report([to_log, ToConsoles(Consoles(ACTIVE, DEVICES), session.consoles)])
    with _told_to_server(telling), _told_to_clients(telling, session, servers):
        yield telling, session


@contextmanager
def _told_to_server(telling: Report) -> Iterator[None]:
    try:
        server = event_server(COMMAND_LINE.read_text(errors="replace"))
    except SlipwayError as error:
        telling.message(f"warning: events are not told to a server: {error}")
        server = None
    if server is None:
        yield
        return
    listener = ToServer(server)
    telling.listeners.append(listener)
    try:
        yield
    finally:
        telling.listeners.remove(listener)
        if problem := listener.close():
            telling.message(f"warning: {problem}")


@contextmanager
def _told_to_clients(
    telling: Report, session: Session, servers: list[EventServer]
) -> Iterator[None]:
    try:
        server = EventServer(answering=session)
    except OSError as error:
        telling.message(
            f"warning: nobody can follow the installation at {SOCKET}: {error.strerror}"
        )
        yield
        return
    telling.listeners.append(server)
    servers.append(server)
    try:
        yield
    finally:
        server.close()
