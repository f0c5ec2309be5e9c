"""What all handlers share: limits on bodies, who the client is, and errors as clear responses."""

from __future__ import annotations

import logging
import re

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from agent.core.errors import SlipwayError
from image.serve.answers import AnswerProblem
from image.serve.facts import BadFacts
from image.serve.machines import NoMachine
from image.serve.match import Ambiguous
from image.serve.news import BadNews
from image.serve.serving import Denied, Waiting
from image.serve.states import Refused
from image.serve.store import StoreError
from image.serve.tokens import WrongToken

# nginx says here who the client is; nobody else reaches the server.
CLIENT_HEADER = "x-real-ip"
BEARER = re.compile(r"Bearer +([!-~]{1,512})", re.IGNORECASE)
# A machine that is told 425 or 503 asks again.
AGAIN_SECONDS = 10

log = logging.getLogger(__name__)


class BadRequest(SlipwayError):
    """The request cannot be understood."""


class NotAllowed(SlipwayError):
    """Who asks did not log in, or did not press a button of the page."""


class TooLarge(SlipwayError):
    """The request's body is larger than it may be."""


STATUS: dict[type[SlipwayError], int] = {
    BadRequest: 400,
    BadFacts: 400,
    BadNews: 400,
    WrongToken: 401,
    Denied: 403,
    NotAllowed: 403,
    NoMachine: 404,
    Refused: 409,
    TooLarge: 413,
    Waiting: 425,
    Ambiguous: 503,
    AnswerProblem: 503,
    StoreError: 503,
}


async def body(request: Request, limit_bytes: int) -> bytes:
    """The request's whole body. Raises TooLarge, BadRequest."""
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit_bytes:
                raise TooLarge(f"the body is larger than {limit_bytes} bytes")
    except ClientDisconnect:
        raise BadRequest("the body was cut off") from None
    return bytes(content)


def bearer(request: Request) -> str:
    """The bearer token. Raises WrongToken without one."""
    found = BEARER.fullmatch(request.headers.get("authorization", ""))
    if not found:
        raise WrongToken("there is no bearer token", hint="Authorization: Bearer TOKEN")
    return found[1]


def client(request: Request) -> str:
    """The client's address."""
    return request.headers.get(CLIENT_HEADER, "")


async def on_error(request: Request, error: Exception) -> Response:
    """The response to an error, with a line in the log."""
    who = f"{client(request)} {request.method} {request.url.path}"
    if not isinstance(error, SlipwayError):
        log.error("%s: a defect of the server", who, exc_info=error)
        return JSONResponse({"error": "a defect of the server; its log tells more"}, 500)
    status = STATUS.get(type(error), 500)
    log.warning("%s: %d: %s", who, status, " ".join(str(error).split()))
    if "text/html" in request.headers.get("accept", ""):
        return PlainTextResponse(f"{error}\n", status)
    content = {"error": error.message} | ({"hint": error.hint} if error.hint else {})
    again = {"Retry-After": str(AGAIN_SECONDS)} if status in (425, 503) else {}
    return JSONResponse(content, status, again)
