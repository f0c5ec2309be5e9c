"""The server is killed in the middle of ten installations: none is lost, none is doubled."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from pathlib import Path

import httpx

from tests.serve.process import (
    STOP_SECONDS,
    Serving,
    processes_below,
    serving,
    wait_until_gone,
)
from tests.serve.simulated import SimulatedMachine, trusting

MACHINES = 10
KILLS = 4
# A machine goes on trying for so long, in seconds.
PATIENCE = 300


async def install(machine: SimulatedMachine, client: httpx.AsyncClient) -> None:
    """From the first boot to ready, with the patience of a real machine."""
    script = await ask(client, httpx.Request("GET", machine.boot_url()))
    assert machine.understand(script.text) == "install"
    machine.take(await ask(client, machine.answer_request()))
    for document in machine.installation():
        await ask(client, machine.report(document))
        await asyncio.sleep(0.15)
    script = await ask(client, httpx.Request("GET", machine.boot_url()))
    assert machine.understand(script.text) == "disk"
    for document in machine.agent():
        await ask(client, machine.report(document))


async def ask(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send until there is an answer; what a dead server or nginx says is none."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                # Each try is a new one: a request's stream may have been used up.
                response = await client.request(
                    request.method, request.url, content=request.content, headers=request.headers
                )
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if response.status_code < 500:
                response.raise_for_status()
                return response
            await asyncio.sleep(0.1)


async def kill_now_and_then(server: Serving) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(0.4)
        await asyncio.to_thread(server.restart)


def test_killed_in_the_middle(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        machines = [SimulatedMachine(number, server.http) for number in range(MACHINES)]

        async def all_at_once() -> None:
            async with httpx.AsyncClient(verify=trusting(), timeout=10) as client:
                await asyncio.gather(
                    kill_now_and_then(server), *(install(one, client) for one in machines)
                )

        asyncio.run(all_at_once())
    names = {answer["global"]["fqdn"] for one in machines for answer in one.answers}
    addresses = {answer["network"]["cidr"] for one in machines for answer in one.answers}
    assert len(names) == len(addresses) == MACHINES
    assert [one.installs for one in machines] == [1] * MACHINES
    with sqlite3.connect(tmp_path / "site.state/state.sqlite") as db:
        states = db.execute("SELECT state, attempt FROM machines").fetchall()
        served = db.execute("SELECT count(DISTINCT machine), count(*) FROM served").fetchone()
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    assert states == [("ready", 1)] * MACHINES
    assert served[0] == MACHINES


def test_all_at_the_same_instant(tmp_path: Path) -> None:
    """Counters: every machine has its own."""
    with serving(tmp_path) as server:
        machines = [SimulatedMachine(number, server.http) for number in range(50)]

        async def answer(machine: SimulatedMachine, client: httpx.AsyncClient) -> None:
            machine.understand((await client.get(machine.boot_url())).text)
            machine.take(await client.send(machine.answer_request()))

        async def all_at_once() -> None:
            async with httpx.AsyncClient(verify=trusting(), timeout=120) as client:
                await asyncio.gather(*(answer(one, client) for one in machines))

        asyncio.run(all_at_once())
    names = {one.answers[0]["global"]["fqdn"] for one in machines}
    assert names == {f"node{number}.example.org" for number in range(1, 51)}


def test_nginx_is_killed(tmp_path: Path) -> None:
    """Its workers would hold the ports, and the next server could not start."""
    with serving(tmp_path) as server:
        started = processes_below(server.process.pid)
        master = [one for one, line in started.items() if line.startswith("nginx: master")]
        workers = [one for one, line in started.items() if line.startswith("nginx: worker")]
        assert len(master) == 1 and workers
        os.kill(master[0], signal.SIGKILL)
        assert server.process.wait(STOP_SECONDS) == 1
        assert "nginx" in server.log
        wait_until_gone(started)
        server.restart()
