"""The program of [first-boot]: here, whole and checked, before anything is written to a disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agent.core.errors import SlipwayError
from installer.answers.hooks import FirstBoot
from installer.answers.prepared import FIRST_BOOT, MAXIMUM_PROGRAM_BYTES, check_program
from installer.web import (
    Patience,
    Reply,
    TryAgain,
    WebError,
    check_status,
    persist,
    request,
)
from installer.web_server import Server


def load_program(
    table: FirstBoot,
    report: Callable[[str], None],
    medium_file: Path = FIRST_BOOT,
    patience: Patience = Patience(),
) -> bytes:
    """Read the program from the medium, or fetch it; failures that may pass are retried, each
    with a line to `report`. Raises SlipwayError.
    """
    if table.source == "from-iso" or table.url is None:
        where, content = str(medium_file), _read(medium_file)
    else:
        server = Server(
            table.url, table.cert_fingerprint or "", None, "first-boot.cert-fingerprint"
        )
        where, content = str(server), _fetch(server, report, patience)
    check_program(content, where)
    return content


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAXIMUM_PROGRAM_BYTES + 1)
    except OSError as error:
        raise SlipwayError(
            f"the program for the first boot cannot be read: {error.strerror}",
            where=str(path),
            hint="Prepare the ISO with --first-boot.",
        ) from error


def _fetch(server: Server, report: Callable[[str], None], patience: Patience) -> bytes:
    def ask() -> Reply:
        reply = request(server, "GET", MAXIMUM_PROGRAM_BYTES)
        check_status(reply, server)
        return reply

    def retrying(reason: TryAgain, wait: float) -> None:
        report(f"{server}: {reason}; trying again in {wait:.1f} s")

    try:
        return persist(ask, retrying, patience).content
    except WebError as error:
        raise SlipwayError(
            f"the program for the first boot cannot be fetched: {error.message}",
            where=str(server),
            hint=error.hint,
        ) from None
