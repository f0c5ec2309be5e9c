"""An Ethernet segment of this host's own: a bridge in a network namespace, with tap devices.

What the test's thread starts inside of it, machines and servers, sees this network and no other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from agent.core.command import run

BRIDGE = "segment0"
# The test's own address there.
HOST = "192.0.2.1"
NETWORK = "192.0.2.0/24"


@contextmanager
def segment(taps: Sequence[str]) -> Iterator[None]:
    """Make the segment and be in it. taps: names of the devices for machines. Needs root."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    os.unshare(os.CLONE_NEWNET)
    try:
        run(["ip", "link", "set", "lo", "up"])
        # Without spanning tree a port forwards at once, before firmware has given up.
        run(["ip", "link", "add", BRIDGE, "type", "bridge", "stp_state", "0", "forward_delay", "0"])
        run(["ip", "address", "add", f"{HOST}/24", "dev", BRIDGE])
        run(["ip", "link", "set", BRIDGE, "up"])
        for tap in taps:
            run(["ip", "tuntap", "add", "dev", tap, "mode", "tap"])
            run(["ip", "link", "set", tap, "master", BRIDGE, "up"])
        yield
    finally:
        os.setns(before, os.CLONE_NEWNET)
        os.close(before)
