"""A node of the laboratory that carries guests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.guests import Guests
from tests.lab.install import LOGIN_LIMIT, InstalledNode, wait_until_ready
from tests.lab.machine import Machine
from tests.lab.ssh import Ssh
from tests.lab.wait import until


@dataclass
class Host:
    """A node that is ready. layout: its name; what a step takes, in the node's own time, is in
    logs/seconds.json."""

    node: InstalledNode
    machine: Machine
    layout: str
    logs: Path
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def ssh(self) -> Ssh:
        return self.node.ssh

    @property
    def guests(self) -> Guests:
        return Guests(self.ssh)

    @property
    def on_zfs(self) -> bool:
        return self.layout.startswith("zfs")

    def run(self, *argv: str, limit: float = 120) -> str:
        """What a program prints on the node, without blanks at its ends."""
        return self.ssh.run(argv, limit=limit).stdout.strip()

    def until[T](
        self,
        attempt: Callable[[], T | None],
        limit: float,
        what: str,
        *,
        where: str,
        interval: float = 0.5,
    ) -> T:
        """Wait for something on the node; limit: seconds of its time. See tests.lab.wait."""
        return until(attempt, limit * self.ssh.patience, what, where=where, interval=interval)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self.seconds[step] = round((time.monotonic() - begin) / self.ssh.patience, 1)
        (self.logs / "seconds.json").write_text(json.dumps(self.seconds, indent=2) + "\n")

    def cut_power(self) -> None:
        """Start again from nothing but the disks, and wait until the node is ready."""
        self.machine.reset()
        wait_until_ready(self.machine)
        self.ssh.wait_until_up(LOGIN_LIMIT)
