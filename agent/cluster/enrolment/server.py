"""The endpoint's network side: TLS, connections and their limits, on uvicorn.

uvicorn gives an application neither the client's certificate nor a time limit for the request's
head; both are added here, with a limit of connections for each source.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Sequence
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
# Connections with TLS in place: of one source, and in all. 32 nodes ask at once at most.
PER_SOURCE, CONNECTIONS = 8, 128
BACKLOG = 128

# Bind to an address that the node does not have yet: ip(7), ipv6(7); Python does not name them.
FREEBIND = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}

log = logging.getLogger(__name__)


class Protocol(H11Protocol):
    """One connection."""

    _head_timer: asyncio.TimerHandle | None = None
    _head_is_here = False
    _counted: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse at once what is too much; else tell the application who it is."""
        super().connection_made(transport)
        name = source(self.client[0]) if self.client else ""
        counts = self.app_state["sources"]
        if len(self.connections) > CONNECTIONS or counts[name] >= PER_SOURCE:
            transport.abort()
            return
        counts[name] += 1
        self._counted = name
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
        if self._counted is not None:
            counts = self.app_state["sources"]
            counts[self._counted] -= 1
            if not counts[self._counted]:
                del counts[self._counted]
            self._counted = None
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if not self._head_is_here:
            self.transport.abort()


class Server(uvicorn.Server):
    """uvicorn's server with a time limit for the TLS handshake."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on the sockets."""
        sources: Counter[str] = Counter()

        def protocol() -> asyncio.Protocol:
            state = {"sources": sources}
            return Protocol(config=self.config, server_state=self.server_state, app_state=state)

        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                protocol,
                sock=each,
                ssl=self.config.ssl,
                backlog=BACKLOG,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
            for each in sockets or ()
        ]
        self.started = True


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
