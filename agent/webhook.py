"""Telling the answer file's [webhook] how the node comes up, until it is ready.

The installer leaves address and token among the secrets, so they are gone when all is done. The
server is told the status object; of those that it has not got yet only the newest counts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from agent.config import WEBHOOK
from agent.core.pinned import PinnedAdapter
from agent.status import Status

log = logging.getLogger(__name__)


class Target(BaseModel):
    """Where to POST. fingerprint: SHA-256 of the server's certificate, hexadecimal, or empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: str
    fingerprint: str = ""
    token: SecretStr = SecretStr("")


@dataclass(frozen=True)
class Patience:
    """All in seconds. request: for one try; first, longest: pauses between tries, which double;
    close: how long the end of the agent's run waits for the server.
    """

    request: float = 30
    first: float = 1
    longest: float = 30
    close: float = 60


class Webhook:
    """Posts the newest status from a thread of its own. Nothing here raises an error."""

    def __init__(self, target: Target, patience: Patience = Patience()) -> None:
        self._target = target
        self._patience = patience
        self._news = threading.Condition()
        self._newest: Status | None = None
        self._ended = self._given_up = False
        self._thread = threading.Thread(target=self._deliver, daemon=True)
        self._thread.start()

    def tell(self, status: Status) -> None:
        """Deliver this status, in place of an older one that is still waiting."""
        with self._news:
            self._newest = status
            self._news.notify_all()

    def close(self) -> None:
        """No more statuses come: wait a moment for the last one."""
        with self._news:
            self._ended = True
            self._news.notify_all()
        self._thread.join(self._patience.close)
        if self._thread.is_alive():
            self._given_up = True
            log.warning("the webhook was not told how this run ended")

    def _deliver(self) -> None:
        pause = self._patience.first
        while not self._given_up and (status := self._next()):
            if self._post(status):
                pause = self._patience.first
                continue
            with self._news:
                self._newest = self._newest or status
            time.sleep(pause)
            pause = min(2 * pause, self._patience.longest)

    def _next(self) -> Status | None:
        """The newest status that is not delivered; none when no more come."""
        with self._news:
            self._news.wait_for(lambda: self._newest or self._ended)
            status, self._newest = self._newest, None
            return status

    def _post(self, status: Status) -> bool:
        """Whether the server has it now, or refuses it for good."""
        fingerprint, token = self._target.fingerprint, self._target.token.get_secret_value()
        try:
            with requests.Session() as session:
                session.trust_env = False
                session.mount("https://", PinnedAdapter(fingerprint))
                reply = session.post(
                    self._target.url,
                    json=status.model_dump(mode="json"),
                    headers={"Authorization": f"Bearer {token}"} if token else {},
                    timeout=self._patience.request,
                    allow_redirects=False,
                    verify=not fingerprint,
                )
        except requests.RequestException as error:
            # The words of the error itself may hold the address, and that may be secret.
            log.warning("the webhook cannot be told: %s", type(error).__name__)
            return False
        if not reply.ok:
            log.warning("the webhook answers with HTTP status %d", reply.status_code)
        return reply.status_code < 500 and reply.status_code not in (408, 425, 429)


@contextmanager
def webhook(path: Path = WEBHOOK, patience: Patience = Patience()) -> Iterator[Webhook | None]:
    """The webhook of this node for one run of the agent, or None where there is none."""
    target = _load(path)
    if target is None:
        yield None
        return
    hook = Webhook(target, patience)
    try:
        yield hook
    finally:
        hook.close()


def _load(path: Path) -> Target | None:
    try:
        return Target.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        log.warning("%s cannot be read: the webhook is not told", path)
        return None
