"""The endpoint's HTTP application: reads, checks and limits requests, and hands them on.

GET /v1/ca      the authority's certificate, for everybody: the token says which is the right one
POST /v1/enrol  a token's secret for a certificate
POST /v1/ready  with the certificate: the node may be added
POST /v1/renew  with the certificate: a new one

PCS_ASKS        what pcs on this machine asks the quorum device's server for, see
                agent.cluster.qdevice_certificates
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from agent.cluster import authority
from agent.cluster.enrolment.limits import REFUSED_COST, RateLimit
from agent.cluster.enrolment.messages import (
    MAXIMUM_BYTES,
    Answer,
    DeviceCertificate,
    Enrol,
    EnrolRequest,
    Message,
    Ready,
    ReadyRequest,
    Renew,
    RenewRequest,
)
from agent.cluster.qdevice_certificates import LOOPBACK, Which
from agent.core.errors import SlipwayError

# A request that is not whole after this time is given up (seconds).
BODY_SECONDS = 10.0
# Requests of this kind that are worked on at once; a few more wait for their turn.
WORKERS, WAITING = 2, 8
# The ASGI scope's key for the certificate that TLS has verified, DER.
PEER = "slipway.peer"

# What pcs asks the pcsd of the quorum device's server, with a request to sign for the second; the
# cluster has its certificate already.
PCS_ASKS: dict[tuple[str, str], Which] = {
    ("GET", "/remote/qdevice_net_get_ca_certificate"): "authority",
    ("POST", "/remote/qdevice_net_sign_node_certificate"): "cluster",
}

Ask = Callable[[Message], Awaitable[Answer]]
AnyMessage = TypeVar("AnyMessage", bound=Message)

log = logging.getLogger(__name__)


class Queue:
    """A few workers and a short line before them."""

    def __init__(self) -> None:
        self._workers = asyncio.Semaphore(WORKERS)
        self._inside = 0

    async def run(self, work: Awaitable[Answer]) -> Answer:
        """The work's answer; status 503 when the line is full."""
        if self._inside >= WORKERS + WAITING:
            asyncio.ensure_future(work).cancel()
            return Answer(status=503, error="too many requests at once; try again")
        self._inside += 1
        try:
            async with self._workers:
                return await work
        finally:
            self._inside -= 1


class Endpoint:
    """The handlers. certificate: the authority's, PEM; ask: sends a message to `member`."""

    def __init__(self, certificate: str, ask: Ask, limit: RateLimit) -> None:
        self._certificate = certificate
        self._ask = ask
        self._limit = limit
        # Strangers cannot take the places of nodes that have a certificate.
        self._strangers = Queue()
        self._known = Queue()
        # pcs asks while a node is being added, which takes one of those.
        self._pcs = Queue()

    def application(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/v1/ca", self._limited(self._authority), methods=["GET"]),
            Route("/v1/enrol", self._limited(self._enrol), methods=["POST"]),
            Route("/v1/ready", self._limited(self._ready), methods=["POST"]),
            Route("/v1/renew", self._limited(self._renew), methods=["POST"]),
            *(Route(path, self._limited(self._device), methods=[how]) for how, path in PCS_ASKS),
        ]
        return Starlette(routes=routes)

    def _limited(
        self, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def limited(request: Request) -> Response:
            seconds = self._limit.wait(_host(request))
            if seconds:
                return _refuse(429, "too many requests", {"Retry-After": f"{seconds:.0f}"})
            try:
                return await handler(request)
            except _Refused as refused:
                return refused.response
            except ClientDisconnect:
                return Response(status_code=400)
            except SlipwayError as error:
                log.error("%s", error)
                return _refuse(503, "the member could not do it now; see its log")

        return limited

    async def _authority(self, _request: Request) -> Response:
        return PlainTextResponse(self._certificate, media_type="application/x-pem-file")

    async def _enrol(self, request: Request) -> Response:
        asked = await _read(request, EnrolRequest)
        try:
            key = authority.public_pem(authority.requested_key(asked.request))
        except SlipwayError as error:
            raise _Refused(_refuse(400, error.message)) from error
        command = Enrol(
            id=asked.id, secret=asked.secret, node=asked.node, addresses=asked.addresses, key=key
        )
        answer = await self._strangers.run(self._ask(command))
        if answer.status == 403:
            self._limit.charge(_host(request), REFUSED_COST)
        return _respond(answer)

    async def _ready(self, request: Request) -> Response:
        certificate = _peer(request)
        asked = await _read(request, ReadyRequest)
        command = Ready(id=asked.id, pcsd_token=asked.pcsd_token, certificate=certificate)
        return _respond(await self._known.run(self._ask(command)))

    async def _renew(self, request: Request) -> Response:
        certificate = _peer(request)
        await _read(request, RenewRequest)
        return _respond(await self._known.run(self._ask(Renew(certificate=certificate))))

    async def _device(self, request: Request) -> Response:
        if _host(request) != LOOPBACK:
            raise _Refused(Response(status_code=404))
        which = PCS_ASKS[request.method, request.url.path]
        answer = await self._pcs.run(self._ask(DeviceCertificate(which=which)))
        if not answer.certificate:
            return _respond(answer)
        return PlainTextResponse(base64.b64encode(answer.certificate.encode()))


class _Refused(Exception):
    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def _read(request: Request, kind: type[AnyMessage]) -> AnyMessage:
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAXIMUM_BYTES:
                    raise _Refused(_refuse(413, "the request is too large"))
        return kind.model_validate_json(body)
    except TimeoutError:
        raise _Refused(_refuse(408, "the request did not come in time")) from None
    except ValidationError as error:
        # Where it is wrong, and not what was sent: that may be a secret.
        places = {".".join(map(str, problem["loc"])) or "body" for problem in error.errors()}
        text = f"the request is not valid: {', '.join(sorted(places))}"
        raise _Refused(_refuse(400, text[:300])) from None


def _peer(request: Request) -> str:
    der = request.scope.get(PEER)
    if der is None:
        raise _Refused(_refuse(401, "a certificate of the cluster is needed"))
    return authority.pem_of_der(der)


def _respond(answer: Answer) -> Response:
    content = answer.model_dump(exclude_none=True, exclude={"status"})
    return JSONResponse(content, answer.status, {"Connection": "close"})


def _refuse(status: int, error: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": error}, status, {"Connection": "close", **(headers or {})})


def _host(request: Request) -> str:
    return request.client.host if request.client else ""
