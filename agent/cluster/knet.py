"""Corosync's links from this node to the other members, as knet sees them now."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from agent.core.command import run
from agent.core.errors import CommandFailed, CommandTimeout

SECONDS = 30
_CONNECTED = re.compile(r"stats\.knet\.node(\d+)\.link(\d+)\.connected \(u8\) = ([01])")


def lost_links() -> Mapping[int, tuple[int, ...]]:
    """Numbers of the links that are down, by the numbers of the members at their other ends.

    Empty while Corosync does not run here.
    """
    try:
        return parse(run(["corosync-cmapctl", "-m", "stats"], timeout=SECONDS).stdout)
    except (CommandFailed, CommandTimeout):
        return {}


def parse(statistics: str) -> Mapping[int, tuple[int, ...]]:
    """From corosync-cmapctl's lines."""
    down: dict[int, list[int]] = defaultdict(list)
    for member, link, connected in _CONNECTED.findall(statistics):
        if connected == "0":
            down[int(member)].append(int(link))
    return {member: tuple(sorted(links)) for member, links in down.items()}
