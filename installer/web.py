"""Talking to web servers: whom to trust, how much to read, how often to ask, when to give up."""

from __future__ import annotations

import logging
import queue
import random
import ssl
import threading
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import TypeVar

import requests

from agent.core.errors import SlipwayError
from agent.core.pinned import PinnedAdapter
from installer.web_server import Server

# A source of its own: waiting in a thread leaves the random numbers of others as they were.
JITTER = random.SystemRandom()

# urllib3 logs whole addresses, and these may hold secrets.
logging.getLogger("urllib3").setLevel(logging.WARNING)

CHUNK_BYTES = 1 << 16
SHOWN_CHARACTERS = 200
SUCCESS = range(200, 300)
REDIRECTS = (301, 302, 303, 307, 308)
# Request timeout, too early, too many requests; and all errors of the server.
PASSING = (408, 425, 429)

T = TypeVar("T")


class WebError(SlipwayError):
    """A server does not do what it is asked for, and asking again would not help."""


class TryAgain(Exception):
    """What went wrong may pass by itself."""


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


@dataclass(frozen=True)
class Reply:
    """What a server said. kind: its Content-Type."""

    status: int
    content: bytes
    kind: str


def persist(
    ask: Callable[[], T], retrying: Callable[[TryAgain, float], None], patience: Patience
) -> T:
    """Ask until there is a result.

    ask: raises TryAgain where another try may help; what else it raises is raised;
    retrying: is told why, and in how many seconds the next try comes.
    Raises WebError when the patience is over.
    """
    end = time.monotonic() + patience.total
    pause = patience.first
    while True:
        left = max(end - time.monotonic(), patience.first)
        try:
            return _within(min(patience.attempt, left), ask)
        except TryAgain as reason:
            # Jitter keeps a rack of machines from asking in step.
            wait = pause * JITTER.uniform(0.5, 1)
            if time.monotonic() + wait >= end:
                raise WebError(
                    f"no success within {patience.total:g} seconds, at last: {reason}"
                ) from None
            retrying(reason, wait)
        time.sleep(wait)
        pause = min(2 * pause, patience.longest)


def _within(seconds: float, ask: Callable[[], T]) -> T:
    """Bound a whole request; the timeouts of sockets only bound the pauses between bytes."""
    results: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            results.put(ask())
        except Exception as error:
            results.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        result = results.get(timeout=seconds)
    except queue.Empty:
        raise TryAgain(f"no whole answer within {seconds:.0f} seconds") from None
    if isinstance(result, Exception):
        raise result
    return result


def request(
    server: Server,
    method: str,
    limit_bytes: int,
    *,
    document: object = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Send one request and read the reply, at most one byte more than the limit.

    document: sent as JSON. Redirects are not followed. Raises TryAgain, WebError.
    """
    bearer = server.token.get_secret_value() if server.token else ""
    authorization = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", PinnedAdapter(server.fingerprint))
        try:
            response = session.request(
                method,
                server.url,
                json=document,
                headers={**(headers or {}), **authorization},
                timeout=(10, 30),
                allow_redirects=False,
                stream=True,
                verify=not server.fingerprint,
            )
            content = _read(response, limit_bytes)
        except requests.exceptions.SSLError as error:
            raise _explain_tls(error, server) from None
        except (requests.ConnectionError, requests.Timeout) as error:
            raise TryAgain(_reason(error)) from None
        except requests.exceptions.ChunkedEncodingError:
            raise TryAgain("the answer was cut off") from None
        except requests.RequestException as error:
            raise WebError(type(error).__name__, where=str(server)) from None
    return Reply(response.status_code, content, response.headers.get("Content-Type", ""))


def _read(response: requests.Response, limit_bytes: int) -> bytes:
    content = b""
    with response:
        for chunk in response.iter_content(CHUNK_BYTES):
            content += chunk
            if len(content) > limit_bytes:
                break
    return content[: limit_bytes + 1]


def check_status(reply: Reply, server: Server, success: Container[int] = SUCCESS) -> None:
    """Raises TryAgain for a status that may pass, WebError for any other that is no success."""
    status = reply.status
    if status in success:
        return
    if status in PASSING or status >= 500:
        raise TryAgain(f"HTTP status {status}")
    if status in REDIRECTS:
        raise WebError(
            f"HTTP status {status}: the server redirects, which is not followed",
            where=str(server),
            hint="Give the address that it redirects to.",
        )
    said = reply.content[:SHOWN_CHARACTERS].decode("utf-8", errors="replace")
    said = "".join(character if character.isprintable() else " " for character in said).strip()
    if server.token:
        said = said.replace(server.token.get_secret_value(), "***")
    raise WebError(f"HTTP status {status}", where=str(server), hint=said or None)


def _explain_tls(error: requests.exceptions.SSLError, server: Server) -> Exception:
    root = _root(error)
    if isinstance(root, ssl.SSLError) and not isinstance(root, ssl.SSLCertVerificationError):
        return TryAgain(_reason(error))
    hint = f"Give the server's fingerprint with {server.fingerprint_key}."
    if server.fingerprint:
        hint = f"Either {server.fingerprint_key} is out of date or this is another server."
    return WebError(
        f"the server's certificate is not trusted: {_reason(error)}", where=str(server), hint=hint
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
