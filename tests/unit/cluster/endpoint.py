"""The real endpoint on a loopback port, with a `member` behind it that the test writes."""

from __future__ import annotations

import asyncio
import datetime
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.cluster import authority, identity
from agent.cluster.authority import Authority
from agent.cluster.enrolment import server
from agent.cluster.enrolment.application import Endpoint
from agent.cluster.enrolment.limits import RateLimit
from agent.cluster.enrolment.messages import Answer, Message
from agent.cluster.folder import Folder

START_SECONDS = 30.0
Ask = Callable[[Message], Awaitable[Answer]]


@dataclass
class Running:
    """authority: of the cluster; folder: of a node that may join; address: HOST:PORT."""

    authority: Authority
    folder: Folder
    address: str
    limit: RateLimit


@contextmanager
def running(
    folder: Path,
    ask: Ask,
    *,
    host: str = "127.0.0.1",
    now: datetime.datetime | None = None,
    limit: RateLimit | None = None,
    other: Authority | None = None,
) -> Iterator[Running]:
    """now: when its certificate was made; other: the authority it shows instead of its own."""
    made_at = now or datetime.datetime.now(datetime.UTC)
    own = Authority.create("lab", made_at)
    files = Folder(folder / "member")
    certificate = own.sign(identity.own_key(files).public_key(), "node1", [host], made_at)
    files.write(files.certificate, authority.pem(certificate))
    files.write(files.authority, authority.pem(own.certificate))
    files.write(files.revoked, "")
    limits = RateLimit() if limit is None else limit
    endpoint = Endpoint(authority.pem((other or own).certificate), ask, limits)
    context = server.tls_context(files.certificate, files.key, files.authority, files.revoked)
    [listening] = server.listen([host], 0)
    made = server.make_server(endpoint.application(), context)
    thread = threading.Thread(target=made.run, args=([listening],))
    thread.start()
    try:
        port = listening.getsockname()[1]
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        yield Running(own, Folder(folder / "joiner"), place, limits)
    finally:
        made.should_exit = True
        thread.join(START_SECONDS)
        listening.close()


async def no_answer(_message: Message) -> Answer:
    """A member that must not be asked."""
    await asyncio.sleep(0)
    raise AssertionError("the member was asked")
