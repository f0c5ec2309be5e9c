"""How a cluster grows: seconds for each join, memory of a node, traffic between nodes.

Run by hand, as root, in the tools tree, on a machine with nothing else to do:

    ./build.sh run -- python3 -m tests.cluster.bench [NODES]

It stops early where less than FLOOR_KIB of memory would be left, and prints a table for docs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.laboratory import Laboratory, laboratory, online
from tests.cluster.node import Node

FLOOR_KIB = 2 * 1024 * 1024
# The programs of one node, systemd above all, hold eight; Linux gives root 128 by default.
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_PER_NODE = 16
QUIET_SECONDS = 20.0
# What an idle cluster does is looked at whenever so many nodes have joined.
QUIET_EVERY = 4


def available_kib() -> int:
    """Memory that programs can still get, in KiB."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))


def processor_seconds(node: Node) -> float:
    """What all programs of a node have used so far."""
    text = (node.cgroups / node.name / "cpu.stat").read_text()
    return int(text.splitlines()[0].split()[1]) / 1e6


def quiet_traffic(lab: Laboratory) -> float:
    """Bytes per second, all links and receivers, while nothing happens."""
    begin = lab.switch.octets()
    time.sleep(QUIET_SECONDS)
    return (lab.switch.octets() - begin) / QUIET_SECONDS


@contextmanager
def inotify_instances(needed: int) -> Iterator[None]:
    """Let this host's root have so many while the context lasts; systemd ends without a word
    where it gets none.
    """
    before = int(INOTIFY.read_text())
    INOTIFY.write_text(f"{max(before, needed)}\n")
    try:
        yield
    finally:
        INOTIFY.write_text(f"{before}\n")


def main(wanted: int) -> None:
    """Grow a cluster and print a line for each size."""
    with inotify_instances(INOTIFY_PER_NODE * wanted), laboratory("bench") as lab:
        free = available_kib()
        begin = time.monotonic()
        first = lab.create(1)
        print(f"nodes  join s  MiB per node  idle kB/s  idle CPU s/s of node1, {wanted} wanted")
        print(f"    1  {time.monotonic() - begin:6.1f}  {(free - available_kib()) / 1024:6.0f}")
        for number in range(2, wanted + 1):
            if available_kib() < FLOOR_KIB:
                print(f"stopped before {number}: memory")
                break
            node = lab.machine(number)
            token = lab.token(first, "--node", node.name)
            begin = time.monotonic()
            done = lab.join(node, token)
            seconds = time.monotonic() - begin
            assert done.status == 0, done.stdout + done.stderr
            each = (free - available_kib()) / 1024 / number
            line = f"{number:5}  {seconds:6.1f}  {each:6.0f}"
            if number % QUIET_EVERY == 0:
                used = processor_seconds(first)
                traffic = quiet_traffic(lab) / 1000
                busy = (processor_seconds(first) - used) / QUIET_SECONDS
                line += f"  {traffic:9.1f}  {busy:.3f}"
            print(line, flush=True)
        assert len(online(first)) == len(lab.nodes)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 32)
