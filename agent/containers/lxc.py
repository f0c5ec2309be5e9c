"""LXC's configuration of a container, and LXC's own tools."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.containers.guest import FIRST_ID, IDS
from agent.containers.model import CONFIGURATION, Container, Network, folder_of
from agent.core.commands import Command, command
from agent.core.template import render

LOGS = Path("/var/log/lxc")
LINE = re.compile(r"\s*(?P<key>lxc\.[A-Za-z0-9_.]+)\s*=\s*(?P<value>.*?)\s*")
# Seconds that a container has to shut down before it is killed.
STOP_SECONDS = 60


def configuration(container: Container, rootfs: str) -> str:
    """The text of the container's configuration. rootfs: LXC's lxc.rootfs.path."""
    return render(
        "agent/container/config", container=container, rootfs=rootfs, first_id=FIRST_ID, ids=IDS
    )


def values(text: str) -> dict[str, tuple[str, ...]]:
    """The values of each key of a configuration."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        if match := LINE.fullmatch(line):
            found[match["key"]] = (*found.get(match["key"], ()), match["value"])
    return found


def cloned(text: str, name: str, rootfs: str, network: Network) -> str:
    """The configuration of a clone: as its source's, but for what only one may have."""
    new: dict[str, Sequence[str]] = {
        "lxc.uts.name": (name,),
        "lxc.rootfs.path": (rootfs,),
        "lxc.net.0.hwaddr": (network.mac,),
    }
    for version in (4, 6):
        own = [str(address) for address in network.addresses if address.version == version]
        gateways = [each for each in network.gateways if (":" in each) == (version == 6)]
        new[f"lxc.net.0.ipv{version}.address"] = own
        new[f"lxc.net.0.ipv{version}.gateway"] = gateways
    return _replaced(text, new)


def _replaced(text: str, new: Mapping[str, Sequence[str]]) -> str:
    """The text with these keys' lines replaced: in place of the first, else at the end."""
    left = dict(new)
    lines = []
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        if match is None or match["key"] not in new:
            lines.append(line)
        else:
            lines += _lines(match["key"], left.pop(match["key"], ()))
    for key, own in left.items():
        lines += _lines(key, own)
    return "\n".join(lines) + "\n"


def _lines(key: str, own: Sequence[str]) -> list[str]:
    return [f"{key} = {value}" for value in own]


def start(name: str) -> tuple[Command, ...]:
    """Start the container and return when its init runs.

    What LXC's hook would say of a container that must not start here, LXC keeps to itself.
    """
    configuration = folder_of(name) / CONFIGURATION
    ask = command("slipway", "guest", "may-start", "container", name, "--from", configuration)
    log = ("--logfile", LOGS / f"{name}.log", "--logpriority", "WARN")
    return ask, command("lxc-start", "--name", name, *log)


def stop(name: str, *, force: bool) -> Command:
    """Shut the container down; kill it when it takes too long, or at once."""
    how = ("--kill",) if force else ("--timeout", str(STOP_SECONDS))
    return command("lxc-stop", "--name", name, *how)
