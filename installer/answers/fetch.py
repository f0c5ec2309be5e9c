"""Fetching an answer file over HTTP: who may answer, how often to ask, when to give up."""

from __future__ import annotations

import logging
import queue
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from installer.answers.parse import MAXIMUM_BYTES
from installer.answers.places import SourceError, Web
from installer.answers.positions import Format

# urllib3 logs whole addresses, and these may hold secrets.
logging.getLogger("urllib3").setLevel(logging.WARNING)

CHUNK_BYTES = 1 << 16
SHOWN_CHARACTERS = 200
HEADERS = {"Accept": "application/json, application/toml;q=0.5"}
SUCCESS = (200, 201)
# Servers of plain files know no POST: 405 by the standard, 501 from Python's http.server.
NO_POST = (405, 501)
# Request timeout, too early, too many requests; and all errors of the server.
PASSING = (408, 425, 429)


@dataclass(frozen=True)
class Patience:
    """How long to go on, in seconds.

    total: after which the server has failed; attempt: for one request; first and longest: the
    pauses between requests, which double from one to the other.
    """

    total: float = 300
    attempt: float = 60
    first: float = 1
    longest: float = 30


class _TryAgain(Exception):
    """What went wrong may pass by itself."""


def fetch(
    place: Web,
    identity: Mapping[str, object],
    report: Callable[[str], None],
    patience: Patience = Patience(),
) -> tuple[bytes, Format]:
    """Ask the server for the answer file of the machine that `identity` describes.

    Failures that may pass are retried, each with a line to `report`. Raises SourceError.
    """
    end = time.monotonic() + patience.total
    pause = patience.first
    while True:
        left = max(end - time.monotonic(), patience.first)
        try:
            return _within(min(patience.attempt, left), lambda: _ask(place, identity))
        except _TryAgain as reason:
            # Jitter keeps a rack of machines from asking in step.
            wait = pause * random.uniform(0.5, 1)
            if time.monotonic() + wait >= end:
                raise SourceError(
                    f"no answer file within {patience.total:g} seconds, at last: {reason}",
                    where=str(place),
                ) from None
            report(f"{place}: {reason}; trying again in {wait:.1f} s")
        time.sleep(wait)
        pause = min(2 * pause, patience.longest)


def _within(seconds: float, ask: Callable[[], tuple[bytes, Format]]) -> tuple[bytes, Format]:
    """Bound a whole request; the timeouts of sockets only bound the pauses between bytes."""
    results: queue.SimpleQueue[tuple[bytes, Format] | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            results.put(ask())
        except Exception as error:
            results.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        result = results.get(timeout=seconds)
    except queue.Empty:
        raise _TryAgain(f"no whole answer within {seconds:.0f} seconds") from None
    if isinstance(result, Exception):
        raise result
    return result


def _ask(place: Web, identity: Mapping[str, object]) -> tuple[bytes, Format]:
    # Over plain HTTP the serial numbers would be told to everyone, and a pinned answer is the same
    # for every machine anyway.
    tells_identity = place.url.startswith("https:") or place.insecure
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", _PinnedAdapter(place.fingerprint))
        try:
            response = _request(session, "POST" if tells_identity else "GET", place, identity)
            if tells_identity and response.status_code in NO_POST:
                response.close()
                response = _request(session, "GET", place, identity)
            content = _read(response)
        except requests.exceptions.SSLError as error:
            raise _explain_tls(error, place) from None
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _TryAgain(_reason(error)) from None
        except requests.exceptions.ChunkedEncodingError:
            raise _TryAgain("the answer was cut off") from None
        except requests.RequestException as error:
            raise SourceError(type(error).__name__, where=str(place)) from None
    _check_status(response, content, place)
    if len(content) > MAXIMUM_BYTES:
        limit = f"{MAXIMUM_BYTES // 1024} KiB"
        raise SourceError(f"the answer file is larger than {limit}", where=str(place))
    kind = response.headers.get("Content-Type", "")
    return content, "json" if kind.startswith("application/json") else "toml"


class _PinnedAdapter(HTTPAdapter):
    """Trusts the one certificate with this SHA-256; with none, what the system trusts."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint or None
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        pinned = options | {"assert_fingerprint": self._fingerprint}
        super().init_poolmanager(*arguments, **pinned)  # type: ignore[no-untyped-call]


def _request(
    session: requests.Session, method: str, place: Web, identity: Mapping[str, object]
) -> requests.Response:
    token = {"Authorization": f"Bearer {place.token.get_secret_value()}"} if place.token else {}
    return session.request(
        method,
        place.url,
        json=identity if method == "POST" else None,
        headers=HEADERS | token,
        timeout=(10, 30),
        allow_redirects=False,
        stream=True,
        verify=not place.fingerprint,
    )


def _read(response: requests.Response) -> bytes:
    """At most one byte more than an answer file may have."""
    content = b""
    with response:
        for chunk in response.iter_content(CHUNK_BYTES):
            content += chunk
            if len(content) > MAXIMUM_BYTES:
                break
    return content


def _check_status(response: requests.Response, content: bytes, place: Web) -> None:
    status = response.status_code
    if status in SUCCESS:
        return
    if status in PASSING or status >= 500:
        raise _TryAgain(f"HTTP status {status}")
    if response.is_redirect:
        raise SourceError(
            f"HTTP status {status}: the server redirects, which is not followed",
            where=str(place),
            hint="Give the address that it redirects to.",
        )
    said = content[:SHOWN_CHARACTERS].decode("utf-8", errors="replace")
    said = "".join(character if character.isprintable() else " " for character in said).strip()
    if place.token:
        said = said.replace(place.token.get_secret_value(), "***")
    raise SourceError(f"HTTP status {status}", where=str(place), hint=said or None)


def _explain_tls(error: requests.exceptions.SSLError, place: Web) -> Exception:
    root = _root(error)
    if isinstance(root, ssl.SSLError) and not isinstance(root, ssl.SSLCertVerificationError):
        return _TryAgain(_reason(error))
    hint = "Give the server's fingerprint with slipway.answer-fingerprint=SHA256."
    if place.fingerprint:
        hint = "Either slipway.answer-fingerprint is out of date or this is another server."
    return SourceError(
        f"the server's certificate is not trusted: {_reason(error)}", where=str(place), hint=hint
    )


def _root(error: BaseException) -> BaseException:
    """The innermost cause. The outer ones carry the whole address, which may hold secrets."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error


def _reason(error: BaseException) -> str:
    root = _root(error)
    if isinstance(root, ssl.SSLCertVerificationError):
        return root.verify_message
    return (root.strerror if isinstance(root, OSError) else None) or str(root)
