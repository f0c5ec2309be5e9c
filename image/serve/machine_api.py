"""What machines ask and tell: boot decisions, answers, events and logs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from agent.core.errors import SlipwayError
from agent.core.template import render
from image import netboot_scripts
from image.serve import boot, facts, machines, reports, serving, tokens
from image.serve.answers import AnswerProblem
from image.serve.boot import Decision
from image.serve.load_site import LoadedSite
from image.serve.match import Ambiguous
from image.serve.serving import Denied, Waiting
from image.serve.store import Store
from image.serve.web import BadRequest, bearer, body, client

IDENTITY_BYTES = 1 << 20
EVENTS_BYTES = 4 << 20
LOG_BYTES = 4 << 20

T = TypeVar("T")


@dataclass(frozen=True)
class Addresses:
    """Where machines find the server. http, https: without a slash at the end; static: of the
    netboot tree; fingerprint: SHA-256 of the certificate.
    """

    http: str
    https: str
    static: str
    fingerprint: str


class MachineApi:
    """The handlers for machines."""

    def __init__(
        self, store: Store, loaded: LoadedSite, addresses: Addresses, netboot: Path
    ) -> None:
        self._store = store
        self._loaded = loaded
        self._addresses = addresses
        self._netboot = netboot

    def routes(self) -> list[Route]:
        """Where the handlers are."""
        return [
            Route("/boot/ipxe", self.ipxe),
            Route("/boot/grub", self.grub),
            Route("/grub/grub.cfg", self.grub_first),
            Route("/answer", self.answer, methods=["POST"]),
            Route("/events", self.events, methods=["POST"]),
            Route("/logs", self.logs, methods=["POST"]),
        ]

    async def ipxe(self, request: Request) -> Response:
        """The script for iPXE; without a hardware address the one that asks with it."""
        if not request.query_params:
            return PlainTextResponse(render("serve/first.ipxe", http=self._addresses.http))
        decision = await self._decide(request)
        if decision.boot == "disk":
            return PlainTextResponse(netboot_scripts.ipxe_disk())
        if decision.boot == "hold":
            again = f"{self._addresses.http}{request.url.path}?{request.url.query}"
            return PlainTextResponse(netboot_scripts.ipxe_wait(again))
        return PlainTextResponse(
            netboot_scripts.ipxe_install(self._tree(), self._parameters(decision))
        )

    async def grub(self, request: Request) -> Response:
        """The script for GRUB."""
        decision = await self._decide(request)
        if decision.boot == "disk":
            return PlainTextResponse(netboot_scripts.grub_disk())
        if decision.boot == "hold":
            return PlainTextResponse(netboot_scripts.grub_wait())
        return PlainTextResponse(
            netboot_scripts.grub_install(self._tree(), self._parameters(decision))
        )

    async def grub_first(self, _request: Request) -> Response:
        """GRUB's first configuration, which asks for the script."""
        return PlainTextResponse(netboot_scripts.grub_first(self._addresses.http))

    async def answer(self, request: Request) -> Response:
        """The answer of the machine whose identity is posted."""
        token = bearer(request)
        known = facts.posted_facts(_parse(await body(request, IDENTITY_BYTES)))
        hook = (f"{self._addresses.https}/events", self._addresses.fingerprint)
        try:
            content = await self._change(
                lambda db: serving.serve(db, self._loaded, known, token, client(request), hook)
            )
        except (Denied, Waiting, AnswerProblem, Ambiguous) as error:
            why = ": ".join(filter(None, (error.message, error.hint)))
            await self._change(lambda db: _explain(db, token, why))
            raise
        return Response(content, media_type="application/json")

    async def events(self, request: Request) -> Response:
        """Reports of an installer or an agent."""
        token = bearer(request)
        news = reports.parse(await body(request, EVENTS_BYTES))
        await self._change(lambda db: reports.apply(db, token, news))
        return Response(status_code=204)

    async def logs(self, request: Request) -> Response:
        """A log, as text. Its `source` says whose."""
        token = bearer(request)
        text = (await body(request, LOG_BYTES)).decode(errors="replace")
        source = request.query_params.get("source", "installer")[:40]
        await self._change(lambda db: reports.add_log(db, token, source, text))
        return Response(status_code=204)

    async def _decide(self, request: Request) -> Decision:
        known = facts.boot_facts(request.query_params)
        return await self._change(lambda db: boot.decide(db, self._loaded, known, client(request)))

    async def _change(self, change: Callable[[Connection], T]) -> T:
        return await asyncio.wrap_future(self._store.change(change))

    def _tree(self) -> netboot_scripts.Tree:
        try:
            return netboot_scripts.tree_of(self._netboot, self._addresses.static)
        except OSError as error:
            raise SlipwayError(
                f"cannot be read: {error.strerror}",
                where=str(error.filename),
                hint="Build the netboot files with ./build.sh.",
            ) from None

    def _parameters(self, decision: Decision) -> tuple[str, ...]:
        """The kernel parameters that lead the installer back here."""
        here, fingerprint = self._addresses.https, self._addresses.fingerprint
        return (
            f"slipway.answer={here}/answer",
            f"slipway.answer-token={decision.answer_token.get_secret_value()}",
            f"slipway.answer-timeout={self._loaded.site.server.answer_timeout}",
            f"slipway.events={here}/events",
            f"slipway.events-token={decision.events_token.get_secret_value()}",
            f"slipway.answer-fingerprint={fingerprint}",
            f"slipway.events-fingerprint={fingerprint}",
        )


def _parse(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None


def _explain(db: Connection, token: str, why: str) -> None:
    """Show on the page why the machine has no answer."""
    try:
        number = tokens.check(db, token, "answer").machine
    except tokens.WrongToken:
        return
    machines.explain(db, machines.get(db, number), why)
