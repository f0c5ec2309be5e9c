"""HTTP for templates: small documents, and large files whose transfer is resumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar

import requests
from urllib3.exceptions import HTTPError

from agent.templates.catalogue import TemplateError
from agent.templates.room import make_room

CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = (10, 30)
OK, PARTIAL, RANGE_REFUSED = 200, 206, 416
# Request timeout, too early, too many requests; and all errors of the server.
PASSING = (408, 425, 429, *range(500, 600))
# Compressed on the way, a file would have another length.
PLAIN = {"Accept-Encoding": "identity"}

Progress = Callable[[int, int | None], None]
T = TypeVar("T")


class CutOff(Exception):
    """The transfer stopped; going on from there may help."""


@dataclass(frozen=True)
class Patience:
    """tries: how often in a row nothing may come; pause: seconds before the second, doubling."""

    tries: int = 5
    pause: float = 1.0


@dataclass(frozen=True)
class Web:
    """How servers are spoken to. ca: whom to trust instead of the system's authorities, PEM."""

    ca: str = ""
    proxy: str = ""
    patience: Patience = Patience()

    def read(self, url: str, limit_bytes: int) -> bytes:
        """A small document. Raises TemplateError.

        One that was asked for over TLS must not come from a place without it.
        """

        def attempt() -> bytes:
            with self._get(url, {}) as response:
                if url.startswith("https:") and not response.url.startswith("https:"):
                    raise TemplateError("the server leads to an address without TLS", where=url)
                content = b""
                for chunk in _chunks(response):
                    content += chunk
                    if len(content) > limit_bytes:
                        raise TemplateError(f"is larger than {limit_bytes} bytes", where=url)
                return content

        return self._persist(attempt, url, lambda: 0)

    def download(self, url: str, target: Path, size: int | None, progress: Progress) -> None:
        """Fetch the file, going on from what `target` has already. Raises TemplateError.

        size: in bytes, what it must have; None where nobody knows.
        """

        def attempt() -> None:
            have = _size(target)
            if have and have == size:
                return
            if size is not None and have > size:
                have = _forget(target)
            header = {"Range": f"bytes={have}-"} if have else {}
            with self._get(url, header) as response:
                if response.status_code == RANGE_REFUSED:
                    _forget(target)
                    raise CutOff("the server does not go on from there")
                if response.status_code != PARTIAL:
                    have = _forget(target)
                _receive(response, target, have, size, progress)

        self._persist(attempt, url, lambda: _size(target))

    def _persist(self, attempt: Callable[[], T], where: str, measure: Callable[[], int]) -> T:
        """Try until it succeeds. measure: how much there is; tries that bring more are free."""
        failures, most, pause = 0, measure(), self.patience.pause
        while True:
            try:
                return attempt()
            except (CutOff, requests.ConnectionError, requests.Timeout) as error:
                reason = _reason(error)
            except requests.RequestException as error:
                raise TemplateError(f"cannot be fetched: {_reason(error)}", where=where) from None
            if measure() > most:
                failures, most, pause = 0, measure(), self.patience.pause
                continue
            failures += 1
            if failures >= self.patience.tries:
                raise TemplateError(f"no success after {failures} tries: {reason}", where=where)
            time.sleep(pause)
            pause *= 2

    @contextmanager
    def _get(self, url: str, headers: dict[str, str]) -> Iterator[requests.Response]:
        with requests.Session() as session, self._trusted() as verify:
            session.trust_env = False
            response = session.get(
                url,
                headers={**PLAIN, **headers},
                timeout=TIMEOUT_SECONDS,
                stream=True,
                verify=verify,
                proxies={"http": self.proxy, "https": self.proxy} if self.proxy else {},
            )
            if response.status_code in PASSING:
                raise CutOff(f"the server says {response.status_code} {response.reason}")
            if response.status_code not in (OK, PARTIAL, RANGE_REFUSED):
                raise TemplateError(
                    f"the server says {response.status_code} {response.reason}", where=url
                )
            yield response

    @contextmanager
    def _trusted(self) -> Iterator[bool | str]:
        if not self.ca:
            yield True
            return
        with NamedTemporaryFile("w", prefix="slipway-", suffix=".pem") as file:
            file.write(self.ca)
            file.flush()
            yield file.name


def _receive(
    response: requests.Response, target: Path, have: int, size: int | None, progress: Progress
) -> None:
    """Append what comes. Raises TemplateError, and CutOff when it ends early."""
    length = response.headers.get("Content-Length", "")
    total = have + int(length) if length.isdigit() else None
    if None not in (size, total) and size != total:
        raise TemplateError(
            f"the file has {total} bytes, the catalogue says {size}", where=response.url
        )
    expected = size if size is not None else total
    with target.open("ab") as file:
        make_room(target, have, expected)
        for chunk in _chunks(response):
            have += len(chunk)
            if expected is None:
                make_room(target, have, None)
            elif have > expected:
                raise TemplateError(f"more than {expected} bytes came", where=response.url)
            file.write(chunk)
            progress(have, expected)
    if expected is not None and have < expected:
        raise CutOff(f"{have} of {expected} bytes came")


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """All that comes, also the last bytes before a cut. Raises CutOff."""
    try:
        while chunk := response.raw.read1(CHUNK_BYTES):
            yield chunk
    except HTTPError as error:
        raise CutOff(_reason(error)) from None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _forget(target: Path) -> int:
    target.unlink(missing_ok=True)
    return 0


def _reason(error: Exception) -> str:
    """The innermost reason, without the objects that requests and urllib3 print around it."""
    inner = error.args[0] if error.args else error
    inner = getattr(inner, "reason", inner)
    return str(inner).rpartition(">: ")[2] or type(error).__name__
