"""Fetching an answer file over HTTP: who is told what, and which answers count."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from installer.answers.parse import MAXIMUM_BYTES
from installer.answers.places import SourceError, Web
from installer.answers.positions import Format
from installer.web import Patience, Reply, TryAgain, WebError, check_status, persist, request

HEADERS = {"Accept": "application/json, application/toml;q=0.5"}
SUCCESS = (200, 201)
# Servers of plain files know no POST: 405 by the standard, 501 from Python's http.server.
NO_POST = (405, 501)


def fetch(
    place: Web,
    identity: Mapping[str, object],
    report: Callable[[str], None],
    patience: Patience = Patience(),
) -> tuple[bytes, Format]:
    """Ask the server for the answer file of the machine that `identity` describes.

    Failures that may pass are retried, each with a line to `report`. Raises SourceError.
    """

    def retrying(reason: TryAgain, wait: float) -> None:
        report(f"{place}: {reason}; trying again in {wait:.1f} s")

    try:
        reply = persist(lambda: _ask(place, identity), retrying, patience)
    except WebError as error:
        raise SourceError(error.message, where=str(place), hint=error.hint) from None
    if len(reply.content) > MAXIMUM_BYTES:
        limit = f"{MAXIMUM_BYTES // 1024} KiB"
        raise SourceError(f"the answer file is larger than {limit}", where=str(place))
    return reply.content, "json" if reply.kind.startswith("application/json") else "toml"


def _ask(place: Web, identity: Mapping[str, object]) -> Reply:
    # Over plain HTTP the serial numbers would be told to everyone, and a pinned answer is the same
    # for every machine anyway.
    if place.url.startswith("https:") or place.insecure:
        reply = request(place, "POST", MAXIMUM_BYTES, document=identity, headers=HEADERS)
        if reply.status not in NO_POST:
            check_status(reply, place, SUCCESS)
            return reply
    reply = request(place, "GET", MAXIMUM_BYTES, headers=HEADERS)
    check_status(reply, place, SUCCESS)
    return reply
