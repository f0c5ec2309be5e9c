"""The endpoint's network side: TLS, connections and their limits, on uvicorn.

uvicorn gives an application neither the client's certificate nor a time limit for the request's
head, and accepts connections without end; these are added here.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.cluster.enrolment.application import PEER
from agent.cluster.enrolment.limits import source
from agent.cluster.enrolment.messages import MAXIMUM_BYTES
from agent.cluster.names import ENROLMENT_PORT

HANDSHAKE_SECONDS = 10.0
HEAD_SECONDS = 10.0
# Connections from their first byte on: of one source, and in all. 32 nodes ask at once at most.
# One in its handshake takes up to 300 KiB. What is too much of one source is closed at once; others
# wait in the kernel's backlog.
PER_SOURCE, CONNECTIONS = 8, 128
BACKLOG = 128
# Seconds until the next try when the system has nothing left for another connection.
ACCEPT_SECONDS = 1.0

# Bind to an address that the node does not have yet: ip(7), ipv6(7); Python does not name them.
FREEBIND = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}

log = logging.getLogger(__name__)


class Protocol(H11Protocol):
    """One connection."""

    _head_timer: asyncio.TimerHandle | None = None
    _head_is_here = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Tell the application who it is."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        peer = tls.getpeercert(binary_form=True) if tls else None
        inner = self.app

        async def with_peer(scope: Any, receive: Any, send: Any) -> None:
            self._head_is_here = True
            await inner({**scope, PEER: peer}, receive, send)

        self.app = with_peer
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """The place is free again."""
        if self._head_timer:
            self._head_timer.cancel()
        self.app_state["ended"]()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if not self._head_is_here:
            self.transport.abort()


class Server(uvicorn.Server):
    """uvicorn's server with limits for connections, and for the time of the TLS handshake."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._sources: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on the sockets."""
        self.servers = []
        for each in sockets or ():
            each.setblocking(False)
            self._start(self._listen(each))
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and end what goes on."""
        for task in tuple(self._tasks):
            task.cancel()
        await super().shutdown(sockets)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._places.acquire()
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError as error:
                self._places.release()
                log.warning("a connection was not accepted: %s", error)
                await asyncio.sleep(ACCEPT_SECONDS)
                continue
            self._start(self._welcome(connection, source(address[0])))

    async def _welcome(self, connection: socket.socket, name: str) -> None:
        """Serve one connection, once its handshake is through."""
        ended = partial(self._end, name)
        self._sources[name] += 1
        if self._sources[name] > PER_SOURCE:
            connection.close()
            ended()
            return

        def protocol() -> asyncio.Protocol:
            state = {"ended": ended}
            return Protocol(config=self.config, server_state=self.server_state, app_state=state)

        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                protocol,
                connection,
                ssl=self.config.ssl,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except OSError:
            ended()

    def _end(self, name: str) -> None:
        self._sources[name] -= 1
        if not self._sources[name]:
            del self._sources[name]
        self._places.release()


def tls_context(certificate: Path, key: Path, authority: Path, revoked: Path) -> ssl.SSLContext:
    """TLS 1.3 with the node's certificate. A client's certificate is optional; one of another
    authority, or a revoked one, ends the connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    if revoked.exists() and revoked.stat().st_size:
        context.load_verify_locations(revoked)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    return context


def listen(addresses: Sequence[str], port: int = ENROLMENT_PORT) -> list[socket.socket]:
    """Sockets on the node's addresses, also on those that come later."""
    sockets = []
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(*FREEBIND[family], 1)
        made.bind((address, port))
        made.listen(BACKLOG)
        sockets.append(made)
    return sockets


def serve(application: Any, context: ssl.SSLContext, sockets: list[socket.socket]) -> None:
    """Serve until the program is told to end."""
    make_server(application, context).run(sockets)


def make_server(application: Any, context: ssl.SSLContext) -> Server:
    """The server, not running yet."""
    config = uvicorn.Config(
        application,
        http=Protocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,
        h11_max_incomplete_event_size=MAXIMUM_BYTES,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
    )
    config.load()
    config.ssl = context
    return Server(config)
