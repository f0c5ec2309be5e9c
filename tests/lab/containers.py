"""Containers of a laboratory's node: what the tests do with them over SSH."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from agent.core.command import Result
from tests.lab.ssh import Ssh
from tests.lab.wait import until

TEMPLATE = "debian/13/amd64"
LIMITS = ("--memory", "128M", "--cores", "0.5", "--disk", "400M")
# Seconds; sized for emulation on two busy cores.
COMMAND_LIMIT = 600
ADDRESS_LIMIT = 600


@dataclass(frozen=True)
class Containers:
    """`slipway container` of a node; options go to each create. storage: an extra pool, or none."""

    ssh: Ssh
    storage: str = ""

    def create(self, name: str, *options: str, check: bool = True) -> Result:
        pool = ["--storage", self.storage] if self.storage else []
        return self.slipway("create", name, "--template", TEMPLATE, *pool, *options, check=check)

    def slipway(self, *words: str, check: bool = True) -> Result:
        argv = ["slipway", "container", *words]
        return self.ssh.run(argv, check=check, limit=COMMAND_LIMIT)

    def discard(self, name: str) -> None:
        """Remove a container, whatever it does."""
        self.slipway("stop", name, "--force", check=False)
        self.slipway("remove", name)

    def inside(self, name: str, *words: str, check: bool = True) -> Result:
        """Run a program in a container."""
        argv = ["lxc-attach", "--name", name, "--", *words]
        return self.ssh.run(argv, check=check, limit=COMMAND_LIMIT)

    def named(self, name: str) -> dict[str, Any]:
        """What `list` says about a container."""
        said = self.slipway("list", "--json").stdout
        found: dict[str, Any] = next(row for row in json.loads(said) if row["name"] == name)
        return found

    def wait_for_address(self, name: str) -> str:
        """The IPv4 address that the container gets. Raises LabTimeout."""

        def attempt() -> str | None:
            return next((a for a in self.named(name)["addresses"] if "." in a), None)

        limit = ADDRESS_LIMIT * self.ssh.patience
        return until(attempt, limit, "an IPv4 address", where=name, interval=2)

    def disks(self) -> set[str]:
        """Everything on the node that belongs to containers."""
        found = self.ssh.output("lvs", "--noheadings", "-o", "lv_name").split()
        found += self.ssh.run(
            ["zfs", "list", "-H", "-o", "name", "-t", "all"], check=False
        ).stdout.split()
        found += self.ssh.output(
            "find", "/var/lib", "-maxdepth", "5", "-name", "container-*"
        ).split()
        found += self.ssh.output("find", "/var/lib/lxc", "-mindepth", "1", "-maxdepth", "1").split()
        own = {each.rpartition("/")[2] for each in found if "container" in each or "/lxc/" in each}
        return own
