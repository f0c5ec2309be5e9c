"""Telling a server every event: the one that the kernel's command line names, if it does.

It is told from the first event on, before an answer file is found; webhooks are named in that.
"""

from __future__ import annotations

from pydantic import SecretStr

from agent.core.errors import SlipwayError
from installer.command_line import parameter
from installer.report.delivery import Delivery
from installer.report.events import Event
from installer.web_server import Server

NAME = "slipway.events"
INSECURE = "slipway.answer-insecure"
# How long a restart waits for a server that does not answer.
CLOSE_SECONDS = 60.0


def event_server(command_line: str) -> Server | None:
    """The server to tell, None where there is none. Raises SlipwayError when it is not trusted."""
    url = parameter(command_line, NAME)
    if not url:
        return None
    if not url.startswith("https://") and INSECURE not in command_line.split():
        raise SlipwayError(
            f"{NAME} is not an https:// address",
            hint=f"Use https, or add {INSECURE} to tell them in the clear.",
        )
    token = parameter(command_line, f"{NAME}-token")
    fingerprint = parameter(command_line, f"{NAME}-fingerprint").replace(":", "").lower()
    key = f"{NAME}-fingerprint"
    return Server(url, fingerprint, SecretStr(token) if token else None, key)


class ToServer:
    """Listener: POSTs every event to the server, one after the other, in the background."""

    def __init__(self, server: Server) -> None:
        self._delivery = Delivery(NAME, server)

    def __call__(self, event: Event) -> None:
        self._delivery.send(event.model_dump(mode="json"))

    def close(self, seconds: float = CLOSE_SECONDS) -> str:
        """Wait at most so long until all is told. Gives what went wrong, or nothing."""
        return self._delivery.close(seconds)
