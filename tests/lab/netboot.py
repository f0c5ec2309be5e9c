"""The real netboot server on a segment, as the tests see it: its site file and its page's JSON."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
import tomlkit

from tests.lab.answers import Answer
from tests.lab.iso import OUT
from tests.lab.segment import BRIDGE, HOST, LEASES, NETWORK
from tests.lab.wait import until
from tests.serve.browser import PASSWORD
from tests.serve.process import start, stop
from tests.serve.simulated import trusting

HTTPS = f"https://{HOST}"
START_SECONDS = 120


def site(answer: Answer, mac: str, dhcp: Literal["proxy", "full"]) -> str:
    """The site file of one machine."""
    server = {
        "address": HOST,
        "netboot": str(OUT / "netboot"),
        "password-file": "password",
        "approve": "listed",
    }
    leases = {"range": list(LEASES), "router": HOST} if dhcp == "full" else {}
    tables = {
        "server": server,
        "dhcp": {"interface": BRIDGE, "mode": dhcp, "network": NETWORK, **leases},
        "machines": [{"name": "node1", "match": {"mac": mac}, "answer": answer}],
    }
    return tomlkit.dumps(tables)


@dataclass(frozen=True)
class NetbootServer:
    """The server. client: of its page; log: what it said, with what nginx and dnsmasq did."""

    client: httpx.Client
    log: Path

    def machine(self) -> dict[str, Any]:
        """The only machine, as the page's JSON has it; empty while none was seen."""
        reply = self.client.get(f"{HTTPS}/api/machines", auth=("admin", PASSWORD))
        machines = reply.raise_for_status().json()["machines"]
        assert len(machines) < 2, machines
        return dict(machines[0]) if machines else {}

    def wait_for(self, state: str, limit: float) -> dict[str, Any]:
        """Wait until the machine is in a state. Raises LabTimeout."""

        def attempt() -> dict[str, Any] | None:
            found = self.machine()
            return found if found.get("state") == state else None

        return until(attempt, limit, f"the state {state}", where=HTTPS, interval=2)

    def wait_for_log(self, limit: float) -> str:
        """The machine's newest log, as soon as there is one. Raises LabTimeout."""

        def attempt() -> str | None:
            logs: list[str] = self.machine()["logs"]
            return logs[0] if logs else None

        newest = until(attempt, limit, "the log of a machine", where=HTTPS)
        login = self.client.post(f"{HTTPS}/login", data={"password": PASSWORD})
        assert login.status_code == 303
        return self.client.get(f"{HTTPS}{newest}").raise_for_status().text


@contextmanager
def netboot_server(folder: Path, text: str) -> Iterator[NetbootServer]:
    """`image serve` with this site file, until the context ends. folder: for its files and log."""
    folder.mkdir(parents=True)
    (folder / "site.toml").write_text(text)
    (folder / "password").write_text(f"{PASSWORD}\n")
    process = start(folder)
    try:
        with httpx.Client(verify=trusting(), timeout=30) as client:

            def healthy() -> bool | None:
                assert process.poll() is None, (folder / "server.log").read_text()
                try:
                    return client.get(f"{HTTPS}/healthz").status_code == 200 or None
                except httpx.TransportError:
                    return None

            until(healthy, START_SECONDS, "the netboot server", where=HTTPS)
            yield NetbootServer(client, folder / "server.log")
    finally:
        stop(process, signal.SIGTERM)
