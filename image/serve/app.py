"""The web application: all routes together."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from agent.core.errors import SlipwayError
from image.serve.machine_api import MachineApi
from image.serve.web import STATUS, on_error


def application(machine_api: MachineApi, *more: BaseRoute) -> Starlette:
    """The application, of the handlers for machines and for people."""
    routes = [*machine_api.routes(), Route("/healthz", healthz), *more]
    handlers = {error: on_error for error in (*STATUS, SlipwayError, Exception)}
    return Starlette(routes=routes, exception_handlers=handlers)


async def healthz(_request: Request) -> Response:
    """For load balancers: the server answers."""
    return PlainTextResponse("ok\n")
