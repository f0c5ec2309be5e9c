"""A machine that asks, installs and reports as a real one does, over real HTTP and TLS."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

PARAMETER = re.compile(r"(slipway\.[a-z0-9-]+)=(\S+)")
STEPS = 10
AGENT_STEPS = ("network", "time", "storage", "services")


def trusting() -> ssl.SSLContext:
    """TLS as an installer has it that knows the fingerprint; here any certificate will do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def mac_of(number: int) -> str:
    """The hardware address of machine `number`."""
    return f"52:54:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def identity(number: int) -> dict[str, Any]:
    """What its installer posts."""
    return {
        "$schema": {"version": "1.0"},
        "product": {"fullname": "Slipway", "product": "slipway", "enable_btrfs": True},
        "iso": {"release": "0.1.0", "isorelease": "1"},
        "dmi": {
            "system": {
                "serial": f"SIM{number:05d}",
                "uuid": f"51d00000-0000-4000-8000-{number:012x}",
                "name": "Simulated",
            },
            "baseboard": {},
            "chassis": {},
        },
        "network_interfaces": [{"link": "eno1", "mac": mac_of(number)}],
        "firmware": "uefi",
        "memory_mib": 2048,
        "cpu": {"model": "Simulated", "threads": 2},
        "disks": [],
    }


@dataclass
class SimulatedMachine:
    """installs: how often it has written its disk; answers: every answer that it got."""

    number: int
    http: str
    parameters: dict[str, str] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    installs: int = 0

    @property
    def mac(self) -> str:
        """Its hardware address."""
        return mac_of(self.number)

    def boot_url(self) -> str:
        """What iPXE asks for."""
        system = identity(self.number)["dmi"]["system"]
        return (
            f"{self.http}/boot/ipxe?mac={self.mac}&uuid={system['uuid']}&serial={system['serial']}"
        )

    def understand(self, script: str) -> str:
        """What iPXE is told: install, disk or wait."""
        self.parameters = dict(PARAMETER.findall(script))
        if "slipway.answer" in self.parameters:
            return "install"
        return "disk" if "starting from disk" in script else "wait"

    def answer_request(self) -> httpx.Request:
        """What the installer asks for."""
        token = self.parameters["slipway.answer-token"]
        return httpx.Request(
            "POST",
            self.parameters["slipway.answer"],
            json=identity(self.number),
            headers={"Authorization": f"Bearer {token}"},
        )

    def take(self, response: httpx.Response) -> None:
        """Keep the answer. Raises httpx.HTTPStatusError when it is none."""
        response.raise_for_status()
        self.answers.append(response.json())

    def report(self, document: Mapping[str, object]) -> httpx.Request:
        """One report, to where the answer says."""
        hook = self.answers[-1]["webhook"]
        return httpx.Request(
            "POST",
            hook["url"],
            json=document,
            headers={"Authorization": f"Bearer {hook['token']}"},
        )

    def installation(self) -> Iterator[dict[str, object]]:
        """All that a successful installation reports, in order."""
        self.installs += 1
        yield {"event": "start", "machine": identity(self.number)}
        yield event("message", text="plan made")
        yield event("message", text="disks ready")
        for done in range(STEPS + 1):
            yield event("progress", "unpack node.squashfs", done_bytes=done, total_bytes=STEPS)
        yield event("message", text="image unpacked")
        yield {"event": "success", "machine": identity(self.number), "node": {}}

    def agent(self) -> Iterator[dict[str, object]]:
        """All that the node's agent reports until it is ready."""
        for done in range(len(AGENT_STEPS) + 1):
            states = ["done"] * done + ["pending"] * (len(AGENT_STEPS) - done)
            ready = done == len(AGENT_STEPS)
            yield {
                "stage": "ready" if ready else "converging",
                "ready": ready,
                "unmet": [],
                "steps": {
                    name: {"state": state} for name, state in zip(AGENT_STEPS, states, strict=True)
                },
            }


def event(phase: str, *path: str, **fields: object) -> dict[str, object]:
    """An event of the installer."""
    return {
        "phase": phase,
        "path": ["installation", *path],
        "text": "",
        "result": "",
        "seconds": 1.0,
        "done_bytes": 0,
        "total_bytes": 0,
        "time": "2026-03-01T10:00:07Z",
        **fields,
    }
