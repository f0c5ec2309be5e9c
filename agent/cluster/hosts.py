"""The members' names in /etc/hosts: every node resolves every other without a name server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from agent.cluster.tunnel import alias
from agent.core.files import write_atomically

PATH = Path("/etc/hosts")
BEGIN = "# Members of the cluster, kept by slipway"
END = "# End of the cluster's members"


def with_members(text: str, members: Mapping[str, Sequence[str]], own: str) -> str:
    """The file's text with a region for the other members; all else stays as it is.

    members: addresses by name, the first link's first: a name gets this one, so that all traffic
    to a name takes one way; and a second name for what comes through the tunnel. own: this node's
    name, which has its line already. Without other members the region is gone.
    """
    kept = "".join(f"{line}\n" for line in _outside(text.splitlines()))
    lines = [
        f"{addresses[0]} {name}\n127.0.0.1 {alias(name)}"
        for name, addresses in sorted(members.items())
        if name != own and addresses
    ]
    region = "\n".join([BEGIN, *lines, END]) + "\n" if lines else ""
    return kept + region


def update(members: Mapping[str, Sequence[str]], own: str, path: Path = PATH) -> bool:
    """Write the members into the file. Says whether it changed. Raises OSError."""
    before = path.read_text() if path.exists() else ""
    after = with_members(before, members, own)
    if after != before:
        write_atomically(path, after)
    return after != before


def _outside(lines: Sequence[str]) -> Iterator[str]:
    inside = False
    for line in lines:
        if line == BEGIN:
            inside = True
        elif inside and line == END:
            inside = False
        elif not inside:
            yield line
