"""The handlers for people and their programs."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs

import jinja2
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from image.serve import machines
from image.serve.machines import NoMachine
from image.serve.page import metrics, overview
from image.serve.page.session import COOKIE, SECONDS, Sessions
from image.serve.states import COMMANDS, STATES, Command
from image.serve.store import Store
from image.serve.web import BadRequest, NotAllowed, body, client

HERE = Path(__file__).parent
FORM_BYTES = 4096
# How often a page that is open learns of news, and how often a quiet line says that it lives.
LIVE_SECONDS = 1.0
QUIET_SECONDS = 15.0
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Handler = Callable[["Page", Request], Awaitable[Response]]


def for_people(handler: Handler) -> Handler:
    """Only with a session; others are sent to the login."""

    @functools.wraps(handler)
    async def guarded(page: Page, request: Request) -> Response:
        if not page.cookie(request):
            return RedirectResponse("/login", 303)
        return await handler(page, request)

    return guarded


class Page:
    """The page. Reads go straight to the state, which never waits for its writer."""

    def __init__(self, store: Store, sessions: Sessions) -> None:
        self._store = store
        self._sessions = sessions
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def routes(self) -> list[BaseRoute]:
        """Where the handlers are."""
        return [
            Route("/", self.index),
            Route("/login", self.login_form),
            Route("/login", self.login, methods=["POST"]),
            Route("/logout", self.logout, methods=["POST"]),
            Route("/machines/{number:int}", self.machine),
            Route("/machines/{number:int}/{command}", self.command, methods=["POST"]),
            Route("/logs/{number:int}", self.log),
            Route("/live", self.live),
            Route("/api/machines", self.api),
            Route("/metrics", self.metrics),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]

    def cookie(self, request: Request) -> str:
        """The request's cookie, if it is of a session; or nothing."""
        cookie = request.cookies.get(COOKIE, "")
        return cookie if cookie and self._sessions.valid(cookie) else ""

    @for_people
    async def index(self, request: Request) -> Response:
        """All machines."""
        rows = overview.rows(self._store.reader)
        counts = {
            state: sum(row.machine.state == state for row in rows) for state in reversed(STATES)
        }
        return self._html(request, "machines.html", rows=rows, counts=counts)

    @for_people
    async def machine(self, request: Request) -> Response:
        """One machine: its history, logs, and what was served to it."""
        db = self._store.reader
        number = request.path_params["number"]
        rows = [row for row in overview.rows(db) if row.machine.id == number]
        if not rows:
            raise NoMachine("there is no such machine")
        served = db.execute(
            "SELECT at, client, site_group, site_machine, digest, answer FROM served "
            "WHERE machine = ? ORDER BY id DESC LIMIT 1",
            (number,),
        ).fetchone()
        entries = overview.history(db, rows[0].machine)
        return self._html(request, "machine.html", row=rows[0], served=served, entries=entries)

    @for_people
    async def log(self, request: Request) -> Response:
        """A machine's log, as text."""
        row = self._store.reader.execute(
            "SELECT text FROM logs WHERE id = ?", (request.path_params["number"],)
        ).fetchone()
        if row is None:
            raise NoMachine("there is no such log")
        return PlainTextResponse(row["text"], headers=HEADERS)

    async def login_form(self, request: Request) -> Response:
        """The login."""
        return self._html(request, "login.html", wrong=False)

    async def login(self, request: Request) -> Response:
        """A try to log in."""
        password = (await _form(request)).get("password", "")
        if not await asyncio.to_thread(self._sessions.right, password):
            return self._html(request, "login.html", 403, wrong=True)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            self._sessions.new(),
            max_age=SECONDS,
            secure=True,
            httponly=True,
            samesite="strict",
        )
        return response

    @for_people
    async def logout(self, request: Request) -> Response:
        """The end of a session in this browser."""
        self._check_form(request, await _form(request))
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
        return response

    @for_people
    async def command(self, request: Request) -> Response:
        """A button was pressed."""
        self._check_form(request, await _form(request))
        number, command = request.path_params["number"], request.path_params["command"]
        who = client(request)
        if command == "forget":
            change = self._store.change(lambda db: machines.forget(db, machines.get(db, number)))
            await asyncio.wrap_future(change)
        elif command in COMMANDS:
            await self._command(number, command, who)
        else:
            raise BadRequest(f"there is no command {command}")
        return RedirectResponse("/", 303)

    async def _command(self, number: int, command: Command, who: str) -> None:
        text = f"{command} was pressed, at {who}"
        change = self._store.change(
            lambda db: machines.advance(db, machines.get(db, number), command, text)
        )
        await asyncio.wrap_future(change)

    async def live(self, request: Request) -> Response:
        """Server-sent events: a line whenever something changed."""
        if not self.cookie(request):
            raise NotAllowed("log in first")
        return StreamingResponse(
            self._changes(request),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    async def _changes(self, request: Request) -> AsyncIterator[str]:
        before, quiet = -1, 0.0
        while not await request.is_disconnected():
            # Counts the commits of all other connections, that is, of the writer.
            version = self._store.reader.execute("PRAGMA data_version").fetchone()[0]
            quiet += LIVE_SECONDS
            if version != before:
                yield f"data: {version}\n\n"
                before, quiet = version, 0.0
            elif quiet >= QUIET_SECONDS:
                yield ": still here\n\n"
                quiet = 0.0
            await asyncio.sleep(LIVE_SECONDS)

    async def api(self, request: Request) -> Response:
        """All machines as JSON."""
        header = request.headers.get("authorization", "")
        if not self.cookie(request) and not await asyncio.to_thread(
            self._sessions.right_header, header
        ):
            return JSONResponse(
                {"error": "log in first"}, 401, {"WWW-Authenticate": 'Basic realm="Slipway"'}
            )
        found = [overview.document(row) for row in overview.rows(self._store.reader)]
        return JSONResponse({"machines": found}, headers={"Cache-Control": "no-store"})

    async def metrics(self, _request: Request) -> Response:
        """Prometheus metrics: counts only, so without a login."""
        return PlainTextResponse(metrics.text(self._store.reader), media_type=metrics.KIND)

    def _check_form(self, request: Request, form: dict[str, str]) -> None:
        expected = self._sessions.form_token(self.cookie(request))
        if form.get("token") != expected:
            raise NotAllowed("this form is not of this session", hint="Load the page again.")

    def _html(self, request: Request, name: str, status: int = 200, **values: object) -> Response:
        cookie = self.cookie(request)
        token = self._sessions.form_token(cookie) if cookie else ""
        text = self._templates.get_template(name).render(
            token=token, duration=overview.duration, json=json, **values
        )
        return HTMLResponse(text, status, HEADERS)


async def _form(request: Request) -> dict[str, str]:
    content = await body(request, FORM_BYTES)
    return {name: values[-1] for name, values in parse_qs(content.decode(errors="replace")).items()}
