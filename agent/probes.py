"""The stack's probes, run for real: does what a role offers answer?"""

from __future__ import annotations

import socket
from typing import assert_never

from agent import hypervisor
from agent.core.errors import SlipwayError
from agent.stack import HttpsProbe, LibvirtProbe, PoolProbe, Probe, TcpProbe
from agent.step import Retry

CONNECT_SECONDS = 10.0
# The web server makes its certificate when it is asked for the first time.
HTTPS_SECONDS = 60.0


def check(probe: Probe) -> None:
    """Run the probe. Raises Retry that says what did not answer, and how."""
    match probe:
        case TcpProbe():
            _tcp(probe)
        case HttpsProbe():
            _https(probe)
        case LibvirtProbe():
            hypervisor.prove(probe.uri)
        case PoolProbe():
            missing = hypervisor.pool_missing(probe.name)
            if missing:
                raise Retry(", ".join(missing))
        case _:
            assert_never(probe)


def failures(probes: tuple[Probe, ...]) -> tuple[str, ...]:
    """Why probes failed, one line each; empty when all of them succeeded."""
    lines = []
    for probe in probes:
        try:
            check(probe)
        except SlipwayError as error:
            lines.append(error.message)
    return tuple(lines)


def _tcp(probe: TcpProbe) -> None:
    try:
        socket.create_connection((probe.address, probe.port), CONNECT_SECONDS).close()
    except OSError as error:
        raise Retry(f"{probe.address} port {probe.port} does not answer: {error}") from error


def _https(probe: HttpsProbe) -> None:
    import ssl
    from urllib import request

    # The node asks itself, and its certificate is its own: there is nothing to verify.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    direct = request.build_opener(request.ProxyHandler({}), request.HTTPSHandler(context=context))
    try:
        direct.open(probe.url, timeout=HTTPS_SECONDS).close()
    except OSError as error:
        raise Retry(f"{probe.url} does not answer: {error}") from error
