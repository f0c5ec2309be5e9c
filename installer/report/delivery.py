"""Delivering documents to a web server, in the background and with a limit."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping

from agent.core.errors import SlipwayError
from installer.web import Patience, TryAgain, WebError, check_status, persist, request
from installer.web_server import Server

# As long as the installation goes on there is no hurry; what ends it is Delivery.close.
PATIENCE = Patience(total=float("inf"), attempt=20, first=1, longest=10)
# Of what the server says only the status counts.
REPLY_BYTES = 4096

log = logging.getLogger("installer")


class Delivery:
    """POSTs documents to one server, in their order, from a thread of its own.

    A document that cannot be delivered yet is tried again and again; one that the server refuses
    is given up. Nothing here raises an error or waits, but `close`, which waits with a limit.
    """

    def __init__(self, name: str, server: Server, patience: Patience = PATIENCE) -> None:
        """name: of the server, for people; its address may hold secrets."""
        self._name = name
        self._server = server
        self._patience = patience
        self._documents: queue.SimpleQueue[Mapping[str, object] | None] = queue.SimpleQueue()
        self._problem = ""
        self._given_up = False
        self._thread = threading.Thread(target=self._deliver, daemon=True)
        self._thread.start()

    def send(self, document: Mapping[str, object]) -> None:
        """Deliver this document, after those before it."""
        self._documents.put(document)

    def close(self, seconds: float) -> str:
        """Wait at most so long until all is delivered. Gives what went wrong, or nothing."""
        self._documents.put(None)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._given_up = True
            return f"{self._name}: {self._problem or 'no answer yet'}; given up"
        return f"{self._name}: {self._problem}" if self._problem else ""

    def _deliver(self) -> None:
        while not self._given_up and (document := self._documents.get()) is not None:
            self._problem = self._try(document)
            if self._problem and not self._given_up:
                log.warning("%s: %s", self._name, self._problem)

    def _try(self, document: Mapping[str, object]) -> str:
        """Deliver one document. Gives why that is not possible, or nothing."""
        try:
            persist(lambda: self._post(document), self._retrying, self._patience)
        except SlipwayError as error:
            return error.message
        except Exception:
            log.exception("%s", self._name)
            return "a defect of the installer; the log has the details"
        return ""

    def _post(self, document: Mapping[str, object]) -> None:
        check_status(request(self._server, "POST", REPLY_BYTES, document=document), self._server)

    def _retrying(self, reason: TryAgain, wait: float) -> None:
        self._problem = str(reason)
        if self._given_up:
            raise WebError(self._problem)
        log.warning("%s: %s; trying again in %.1f s", self._name, reason, wait)
