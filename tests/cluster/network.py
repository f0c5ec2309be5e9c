"""The networks between the nodes: one bridge for each link, in a namespace of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.core.command import run

LINKS = 2
CABLE = Path(__file__).with_name("slow_cable.py")


@dataclass(frozen=True)
class Switch:
    """The bridges. name: of the network namespace."""

    name: str
    ipv6: bool = False

    def address(self, number: int, link: int) -> str:
        """The address of a node on a link."""
        return f"fd00:99:{link}::{number}" if self.ipv6 else f"10.99.{link}.{number}"

    def addresses(self, number: int) -> tuple[str, ...]:
        """The addresses of a node on all links."""
        return tuple(self.address(number, link) for link in range(LINKS))

    def plug(self, namespace: str, number: int) -> None:
        """Make a namespace that is a node on all links."""
        run(["ip", "netns", "add", namespace])
        run(["ip", "-n", namespace, "link", "set", "lo", "up"])
        for link in range(LINKS):
            port = f"p{number}-{link}"
            ends = ["name", f"eth{link}", "netns", namespace]
            peer = ["peer", "name", port, "netns", self.name]
            run(["ip", "link", "add", *ends, "type", "veth", *peer])
            run(["ip", "-n", self.name, "link", "set", port, "master", f"br{link}", "up"])
            size = 64 if self.ipv6 else 24
            own = f"{self.address(number, link)}/{size}"
            flags = ["nodad"] if self.ipv6 else []
            run(["ip", "-n", namespace, "addr", "add", own, "dev", f"eth{link}", *flags])
            run(["ip", "-n", namespace, "link", "set", f"eth{link}", "up"])

    def cut(self, number: int, *, connected: bool, links: Iterable[int] = range(LINKS)) -> None:
        """Pull a node's cables, or plug them in again."""
        for link in links:
            state = "up" if connected else "down"
            run(["ip", "-n", self.name, "link", "set", f"p{number}-{link}", state])

    @contextmanager
    def bad_cables(self, number: int, least: float, most: float, lost: float) -> Iterator[None]:
        """A node's cables pass frames after `least` to `most` milliseconds, and lose a part.

        The node's own interfaces must leave checksums and segments to nobody (ethtool -K).
        """
        with ExitStack() as running:
            for link in range(LINKS):
                port, ends = f"p{number}-{link}", (f"s{number}-{link}", f"t{number}-{link}")
                run(
                    ["ip", "-n", self.name, "link", "add", ends[0], "type", "veth"]
                    + ["peer", ends[1]]
                )
                running.callback(run, ["ip", "-n", self.name, "link", "del", ends[0]])
                plug = ["ip", "-n", self.name, "link", "set"]
                run([*plug, port, "nomaster"])
                running.callback(run, [*plug, port, "master", f"br{link}"])
                run([*plug, ends[0], "up"])
                run([*plug, ends[1], "master", f"br{link}", "up"])
                argv = ["ip", "netns", "exec", self.name, sys.executable, str(CABLE)]
                argv += [port, ends[0], *map(str, (least, most, lost))]
                process = subprocess.Popen(argv)
                running.callback(_end, process)
            yield

    def octets(self) -> int:
        """What went through the bridges' ports so far, in bytes, once for each receiver."""
        total = 0
        folder = ["ip", "netns", "exec", self.name, "cat"]
        for link in range(LINKS):
            ports = run([*folder, "/proc/net/dev"]).stdout.splitlines()
            rows = [line.split() for line in ports if line.strip().startswith("p")]
            total += sum(int(row[9]) for row in rows if row[0].endswith(f"-{link}:"))
        return total


@contextmanager
def switch(name: str, *, ipv6: bool = False) -> Iterator[Switch]:
    """The bridges, while the context lasts."""
    run(["ip", "netns", "add", name])
    try:
        for link in range(LINKS):
            run(["ip", "-n", name, "link", "add", f"br{link}", "type", "bridge"])
            run(["ip", "-n", name, "link", "set", f"br{link}", "up"])
        yield Switch(name, ipv6)
    finally:
        run(["ip", "netns", "del", name])


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.poll() is None, "the bad cable has ended by itself"
    process.terminate()
    process.wait(timeout=30)
