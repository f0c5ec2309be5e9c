"""Telling the answer file's webhooks how an installation goes.

[webhook] is told when it starts, has succeeded or has failed; [post-installation-webhook] when it
has succeeded. docs/reporting.md describes the documents.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, SecretStr

from agent.core.errors import SlipwayError
from installer.answers.schema import Answer
from installer.report.delivery import Delivery
from installer.report.events import Report
from installer.web_server import Server

SCHEMA_VERSION = "1.0"
# How long a restart waits for servers that do not answer, in all.
CLOSE_SECONDS = 60.0
# The end of a log is what a person wants to see.
LOG_BYTES = 1 << 20
# Shorter ones would mask half of the log, and keep nothing secret.
SECRET_CHARACTERS = 4

Document = Mapping[str, object]
log = logging.getLogger("installer")


class Webhooks:
    """The webhooks of one answer. Nothing here raises an error; only `close` waits."""

    def __init__(self, answer: Answer, identify: Callable[[], Document], log_path: Path) -> None:
        """Tell that the installation starts. identify: of which machine, as answer servers are
        told."""
        self._answer = answer
        self._machine = _guarded(identify) if answer.webhook else {}
        self._log_path = log_path
        self._begin = time.monotonic()
        self._own = _own(answer)
        self._post = _post_installation(answer)
        self._tell("start")

    def succeeded(self, describe: Callable[[], Document]) -> None:
        """Tell that the node is installed. describe: gives its document."""
        if not (self._own or self._post):
            return
        node = _guarded(describe)
        self._tell("success", node=node)
        hook = self._answer.post_installation_webhook
        if self._post and hook and node:
            token = {"token": hook.auth_token.get_secret_value()} if hook.auth_token else {}
            self._post.send({**node, **token})

    def failed(self, error: SlipwayError) -> None:
        """Tell that the installation failed, with the log."""
        parts = {"message": error.message, "where": error.where, "hint": error.hint}
        self._tell(
            "failure",
            error={name: self._masked(text or "") for name, text in parts.items()},
            log=self._masked(self._read_log()),
        )

    def close(self, seconds: float) -> Iterator[str]:
        """Wait at most so long for what is on its way. Gives what could not be delivered."""
        end = time.monotonic() + seconds
        for delivery in filter(None, (self._own, self._post)):
            if problem := delivery.close(max(0.0, end - time.monotonic())):
                yield problem

    def _tell(self, event: Literal["start", "success", "failure"], **fields: object) -> None:
        fqdn = self._answer.global_.fqdn
        if self._own:
            document = {
                "$schema": {"version": SCHEMA_VERSION},
                "event": event,
                "time": datetime.now(UTC).isoformat(),
                "seconds": round(time.monotonic() - self._begin, 3),
                "fqdn": fqdn if isinstance(fqdn, str) else "",
                "machine": self._machine,
                **fields,
            }
            self._own.send(document)

    def _masked(self, text: str) -> str:
        return mask(text, secrets_in(self._answer))

    def _read_log(self) -> str:
        try:
            content = self._log_path.read_bytes()[-LOG_BYTES:]
        except OSError as error:
            return f"the log cannot be read: {error.strerror}"
        return content.decode(errors="replace")


@contextmanager
def webhooks(
    answer: Answer,
    identify: Callable[[], Document],
    log_path: Path,
    report: Report,
    close_seconds: float = CLOSE_SECONDS,
) -> Iterator[Webhooks]:
    """Webhooks for as long as an installation lasts; after it, what they did not get is told."""
    hooks = Webhooks(answer, identify, log_path)
    try:
        yield hooks
    finally:
        for problem in hooks.close(close_seconds):
            report.message(f"warning: {problem}")


def mask(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets: tools may have shown what they were given."""
    for secret in secrets:
        if len(secret) >= SECRET_CHARACTERS:
            text = text.replace(secret, "***")
    return text


def secrets_in(value: object) -> Iterator[str]:
    """Every secret of an answer."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for _, part in value:
            yield from secrets_in(part)
    elif isinstance(value, tuple):
        for part in value:
            yield from secrets_in(part)


def _guarded(describe: Callable[[], Document]) -> Document:
    """A document, an empty one where that fails: no installation fails because of a webhook."""
    try:
        return describe()
    except Exception:
        log.exception("a part of what webhooks are told is missing")
        return {}


def _own(answer: Answer) -> Delivery | None:
    hook = answer.webhook
    if hook is None:
        return None
    return Delivery("[webhook]", Server(hook.url, hook.cert_fingerprint or "", hook.token))


def _post_installation(answer: Answer) -> Delivery | None:
    hook = answer.post_installation_webhook
    if hook is None:
        return None
    return Delivery("[post-installation-webhook]", Server(hook.url, hook.cert_fingerprint or ""))
