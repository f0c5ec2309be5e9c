"""An Ethernet segment of this host's own: a bridge in a network namespace, with tap devices.

What the test's thread starts inside of it, machines and servers, sees this network and no other.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.core.command import run

BRIDGE = "segment0"
# The test's own address there, and that of a DHCP server which knows nothing of Slipway.
HOST = "192.0.2.1"
OTHER_HOST = "192.0.2.2"
NETWORK = "192.0.2.0/24"
LEASES = ("192.0.2.100", "192.0.2.120")
STOP_SECONDS = 10


@contextmanager
def segment(taps: Sequence[str], idle: Sequence[str] = ()) -> Iterator[None]:
    """Make the segment and be in it. Needs root.

    taps: names of the devices for machines; idle: of those that lead nowhere.
    """
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    os.unshare(os.CLONE_NEWNET)
    try:
        run(["ip", "link", "set", "lo", "up"])
        # Without spanning tree a port forwards at once, before firmware has given up.
        run(["ip", "link", "add", BRIDGE, "type", "bridge", "stp_state", "0", "forward_delay", "0"])
        run(["ip", "address", "add", f"{HOST}/24", "dev", BRIDGE])
        run(["ip", "link", "set", BRIDGE, "up"])
        for tap in (*taps, *idle):
            run(["ip", "tuntap", "add", "dev", tap, "mode", "tap"])
            run(["ip", "link", "set", tap, "up"])
        for tap in taps:
            run(["ip", "link", "set", tap, "master", BRIDGE])
        yield
    finally:
        os.setns(before, os.CLONE_NEWNET)
        os.close(before)


def bytes_to(tap: str) -> int:
    """The bytes of all frames so far to the machine at this device of the segment."""
    (link,) = json.loads(run(["ip", "-json", "-stats", "link", "show", "dev", tap]).stdout)
    return int(link["stats64"]["tx"]["bytes"])


@contextmanager
def dhcp_server(folder: Path) -> Iterator[None]:
    """A host of its own on the segment that gives addresses, and nothing else."""
    run(["ip", "link", "add", "dhcp0", "master", BRIDGE, "type", "veth", "peer", "name", "dhcp1"])
    run(["ip", "link", "set", "dhcp0", "up"])
    arguments = [
        *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0"),
        *("--log-facility=-", "--log-dhcp", "--user=root", "--bind-dynamic", "--interface=dhcp1"),
        *(f"--dhcp-range={LEASES[0]},{LEASES[1]},255.255.255.0,1h", "--dhcp-authoritative"),
        f"--dhcp-leasefile={folder / 'leases'}",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "dhcp.log").open("wb") as said:
        process = subprocess.Popen(
            ["unshare", "--net", "--", "setpriv", "--pdeathsig", "KILL", "--", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        inside = ["nsenter", f"--net=/proc/{process.pid}/ns/net", "--"]
        run(["ip", "link", "set", "dhcp1", "netns", str(process.pid)])
        run([*inside, "ip", "address", "add", f"{OTHER_HOST}/24", "dev", "dhcp1"])
        run([*inside, "ip", "link", "set", "dhcp1", "up"])
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
