"""dnsmasq as the server starts it, in a network namespace of its own: real DHCP and TFTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from agent.core.command import run
from image.serve import front
from image.serve.site import Dhcp
from tests.serve.process import TOP, free_ports, make_site, site_text, start, stop

SERVER = "192.0.2.1"
NETWORK = "192.0.2.0/24"
LIMIT = 120
PROXY = Dhcp(interface="machines", network=IPv4Network(NETWORK))
FULL = Dhcp(
    interface="machines",
    mode="full",
    network=IPv4Network(NETWORK),
    range=(IPv4Address("192.0.2.100"), IPv4Address("192.0.2.200")),
    router=IPv4Address("192.0.2.254"),
    dns=(IPv4Address("192.0.2.53"),),
)


@pytest.mark.parametrize("dhcp", [PROXY, FULL, FULL.model_copy(update={"router": None})])
def test_dnsmasq_takes_the_configuration(dhcp: Dhcp, tmp_path: Path) -> None:
    path = tmp_path / "dnsmasq.conf"
    path.write_text(
        front.dnsmasq_configuration(dhcp, SERVER, f"http://{SERVER}", tmp_path, tmp_path / "leases")
    )
    said = run(["dnsmasq", f"--conf-file={path}", "--test"])
    assert "syntax check OK" in said.stderr


@dataclass(frozen=True)
class Wire:
    """Two network namespaces, held by processes: `machines` is the server's end, `eth0` the
    machine's.
    """

    server: int
    machine: int


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with namespace() as server, namespace() as machine:
        ends = ["machines", "netns", str(server), "type", "veth", "peer", "name", "eth0"]
        run(["ip", "link", "add", *ends, "netns", str(machine)])
        run([*enter(server), "ip", "address", "add", f"{SERVER}/24", "dev", "machines"])
        # By this one it speaks TFTP; firmware would use the address that it was offered.
        run([*enter(machine), "ip", "address", "add", "192.0.2.9/24", "dev", "eth0"])
        for holder, link in ((server, "lo"), (server, "machines"), (machine, "eth0")):
            run([*enter(holder), "ip", "link", "set", link, "up"])
        yield Wire(server, machine)


@contextmanager
def namespace() -> Iterator[int]:
    """The process that holds a new network namespace."""
    holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        end = time.monotonic() + LIMIT
        while network_of(holder.pid) == network_of(os.getpid()):
            assert time.monotonic() < end, "no network namespace"
            time.sleep(0.01)
        yield holder.pid
    finally:
        holder.kill()
        holder.wait()


def network_of(process: int | str) -> str:
    return os.readlink(f"/proc/{process}/ns/net")


def enter(holder: int) -> list[str]:
    return ["nsenter", f"--net=/proc/{holder}/ns/net", "--"]


def others_in(holder: int) -> list[str]:
    """The processes in the holder's namespace, without the holder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if network_of(path.name) == network_of(holder) and path.name != str(holder):
                found.append((path / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.mark.parametrize("mode", ["full", "proxy"])
def test_exchange(wire: Wire, tmp_path: Path, mode: str) -> None:
    """Every kind of firmware is told where to start from; TFTP has what it is told."""
    http, https = free_ports(2)
    make_site(tmp_path, site_text(http, https).replace("127.0.0.1", SERVER) + table(mode))
    process = start(tmp_path, enter(wire.server))
    try:
        wait_for(tmp_path / "server.log", "DHCP", process)
        told = {kind: offer(wire.machine, kind) for kind in ("bios", "uefi", "uefi-http", "ipxe")}
        address = f"http://{SERVER}:{http}"
        assert told["bios"]["file"] == "undionly.kpxe"
        assert told["uefi"]["file"] == "shimx64.efi"
        assert told["ipxe"]["file"] == f"{address}/boot/ipxe"
        assert told["bios"]["next"] == SERVER
        leased = told["bios"]["address"] != "0.0.0.0"
        assert leased == (mode == "full")
        assert told["uefi-http"]["file"] == f"{address}/netboot/shimx64.efi"
        assert told["uefi-http"]["vendor"] == "HTTPClient"
        assert tftp(wire.machine, "undionly.kpxe") == bytes(1000)
        assert address.removeprefix("http://") in tftp(wire.machine, "grub/grub.cfg").decode()
    finally:
        stop(process, signal.SIGKILL)
    # Its life is tied to the server's, which had no chance to end it.
    end = time.monotonic() + LIMIT
    while left := others_in(wire.server):
        assert time.monotonic() < end, f"still there: {left}"
        time.sleep(0.1)


def table(mode: str) -> str:
    text = f'[dhcp]\ninterface = "machines"\nnetwork = "{NETWORK}"\nmode = "{mode}"\n'
    return text + ('range = ["192.0.2.100", "192.0.2.200"]\n' if mode == "full" else "")


def offer(holder: int, kind: str) -> dict[str, str]:
    """What a machine with this firmware is offered."""
    return dict(line.split("=", 1) for line in inside(holder, "offer", kind).decode().splitlines())


def tftp(holder: int, name: str) -> bytes:
    """A file by TFTP."""
    return inside(holder, "tftp", name)


def inside(holder: int, *words: str) -> bytes:
    argv = [*enter(holder), sys.executable, "-m", "tests.serve.firmware", *words]
    return subprocess.run(argv, cwd=TOP, check=True, capture_output=True, timeout=LIMIT).stdout


def wait_for(path: Path, words: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LIMIT
    while words not in path.read_text():
        assert process.poll() is None, path.read_text()
        assert time.monotonic() < end, f"no {words!r} in the log:\n{path.read_text()}"
        time.sleep(0.1)
