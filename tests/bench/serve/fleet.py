"""A thousand machines at once: they ask, download and report as real ones do.

Each request has a connection of its own, with a TLS handshake where there is TLS, as the
installer's have. A time is from the start of the connection to the last byte of the response.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx

from image.serve.page.views import LIVE_SECONDS
from tests.serve.process import Serving
from tests.serve.simulated import SimulatedMachine, trusting

MACHINES = 1000
# All are switched on within this time, in seconds, and report every few seconds.
POWER_ON_SECONDS = 60
REPORT_SECONDS = 5
# What each downloads: a part of the image; all of it would measure the loopback device only.
DOWNLOAD_BYTES = 1 << 20
LIMIT = 120

Times = dict[str, list[float]]


async def power_on(server: Serving) -> dict[str, object]:
    """All machines install, each from its own moment on, and a person looks at the page."""
    times: Times = defaultdict(list)
    context = trusting()
    begin = time.monotonic()
    machines = [SimulatedMachine(number, server.http) for number in range(MACHINES)]
    watching = asyncio.create_task(_watch(server, context, times))
    await asyncio.gather(*(_install(machine, context, times) for machine in machines))
    watching.cancel()
    names = {machine.answers[0]["global"]["fqdn"] for machine in machines}
    assert len(names) == MACHINES
    print(f"\n{MACHINES} machines, switched on within {POWER_ON_SECONDS} s", flush=True)
    return {"seconds": time.monotonic() - begin, **_summary(times)}


async def burst(server: Serving) -> dict[str, object]:
    """As many machines ask for their answers at the same instant."""
    times: Times = defaultdict(list)
    context = trusting()
    machines = [SimulatedMachine(MACHINES + n, server.http) for n in range(MACHINES)]
    for machine in machines:
        script = await _ask(httpx.Request("GET", machine.boot_url()), context, "boot", times)
        machine.understand(script.decode())
    times.clear()
    begin = time.monotonic()
    await asyncio.gather(
        *(_ask(machine.answer_request(), context, "answer", times) for machine in machines)
    )
    seconds = time.monotonic() - begin
    print(f"\n{MACHINES} answers asked for at the same instant: all served in {seconds:.1f} s")
    return {"seconds": seconds, **_summary(times)}


async def _install(machine: SimulatedMachine, context: ssl.SSLContext, times: Times) -> None:
    await asyncio.sleep(random.uniform(0, POWER_ON_SECONDS))
    script = await _ask(httpx.Request("GET", machine.boot_url()), context, "boot", times)
    assert machine.understand(script.decode()) == "install"
    image = httpx.Request(
        "GET",
        f"{machine.http}/netboot/live/10-node.squashfs",
        headers={"Range": f"bytes=0-{DOWNLOAD_BYTES - 1}"},
    )
    assert len(await _ask(image, context, "download", times)) == DOWNLOAD_BYTES
    response = httpx.Response(
        200,
        content=await _ask(machine.answer_request(), context, "answer", times),
        request=machine.answer_request(),
    )
    machine.take(response)
    for document in (*machine.installation(), *machine.agent()):
        await asyncio.sleep(random.uniform(0.5, 1.5) * REPORT_SECONDS)
        await _ask(machine.report(document), context, "report", times)


async def _watch(server: Serving, context: ssl.SSLContext, times: Times) -> None:
    """An open page, which loads itself again whenever something changed."""
    password = (server.folder / "password").read_text().strip()
    async with httpx.AsyncClient(verify=context, base_url=server.https, timeout=LIMIT) as client:
        login = await client.post("/login", data={"password": password})
        assert login.status_code == 303, login.text
        while True:
            begin = time.monotonic()
            (await client.get("/")).raise_for_status()
            times["page"].append(time.monotonic() - begin)
            await asyncio.sleep(LIVE_SECONDS)


async def _ask(request: httpx.Request, context: ssl.SSLContext, kind: str, times: Times) -> bytes:
    """One request on a connection of its own; gives the body of a successful response."""
    begin = time.monotonic()
    async with asyncio.timeout(LIMIT):
        body = await _exchange(request, context)
    times[kind].append(time.monotonic() - begin)
    return body


async def _exchange(request: httpx.Request, context: ssl.SSLContext) -> bytes:
    parts = urlsplit(str(request.url))
    tls = context if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=tls)
    try:
        query = f"?{parts.query}" if parts.query else ""
        lines = [
            f"{request.method} {parts.path}{query} HTTP/1.0",
            *(f"{name}: {value}" for name, value in request.headers.items()),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + request.content)
        said = await reader.read()
    finally:
        writer.close()
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.split()[1][:1] == b"2", said[:500]
    return body


def _summary(times: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    summary = {}
    for kind, values in times.items():
        ordered = sorted(values)
        summary[kind] = {
            "count": len(ordered),
            **{
                f"p{part}_ms": round(
                    1000 * ordered[min(len(ordered) - 1, len(ordered) * part // 100)], 1
                )
                for part in (50, 95, 99)
            },
            "max_ms": round(1000 * ordered[-1], 1),
        }
        print(f"  {kind}: {summary[kind]}", flush=True)
    return summary
