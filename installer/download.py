"""Large files from a web server to a file system."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import requests

from agent.core.errors import SlipwayError
from installer.web import PASSING, Patience, TryAgain, WebError, persist

# A server that is being restarted, or has a whole rack to serve, is back within these seconds.
PATIENCE = Patience(total=600, attempt=600)
# Seconds for a connection, and for the next bytes.
TIMEOUTS = (10, 60)
CHUNK_BYTES = 1 << 20

log = logging.getLogger(__name__)


def download(url: str, path: Path, patience: Patience = PATIENCE) -> str:
    """Fetch a file; what may pass is tried again, from the start. Gives the file's SHA-256.

    Raises SlipwayError when it cannot be fetched, OSError when it cannot be written.
    """

    def retrying(reason: TryAgain, wait: float) -> None:
        log.warning("%s: %s; trying again in %.1f s", url, reason, wait)

    try:
        return persist(lambda: _attempt(url, path), retrying, patience)
    except WebError as error:
        raise SlipwayError(
            f"the file cannot be fetched: {error.message}", where=url, hint="No disk was changed."
        ) from None


def _attempt(url: str, path: Path) -> str:
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.get(url, stream=True, timeout=TIMEOUTS) as response:
                _check(response.status_code)
                return _write(response, path)
        except requests.RequestException as error:
            raise TryAgain(f"{type(error).__name__}: {error}") from None


def _check(status: int) -> None:
    if status >= 500 or status in PASSING:
        raise TryAgain(f"HTTP status {status}")
    if status != 200:
        raise WebError(f"HTTP status {status}")


def _write(response: requests.Response, path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for chunk in response.iter_content(CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()
