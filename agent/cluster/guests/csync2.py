"""csync2: sends copies to other members, inside the cluster's mutual TLS.

The tunnel ends on the member itself, so who receives sees every sender at 127.0.0.1, and csync2
accepts a name only from the address that the name has. So a member calls itself NODE.tunnel, which
is 127.0.0.1 in /etc/hosts, and calls those that it sends to by their real names: sending and
receiving have configurations of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from agent.cluster.guests.model import COPIES
from agent.cluster.tunnel import alias
from agent.core.command import run
from agent.core.files import write_atomically
from agent.core.template import render

FOLDER = Path("/etc/slipway/csync2")
# The unit csync2@.service is told of the second.
SENDING, RECEIVING = FOLDER / "send", FOLDER / "receive"
SECRET = FOLDER / "key"
SHARED_SECRET = Path("/etc/corosync/authkey")
SECONDS = 300


def configurations(nodes: Iterable[str], own: str) -> dict[Path, str]:
    """The texts of csync2's configurations for these members."""
    names = sorted(nodes)
    sending = [alias(name) if name == own else name for name in names]
    hosts = {SENDING: sending, RECEIVING: [alias(name) for name in names]}
    return {
        folder
        / "csync2.cfg": render(
            "agent/etc/slipway/csync2.cfg", hosts=known, key=SECRET, folder=COPIES
        )
        for folder, known in hosts.items()
    }


def secret(shared: bytes) -> str:
    """csync2's own key. It keeps out users of this machine, who reach csync2 without the tunnel.

    shared: Corosync's key, which all members have and which is renewed when one is removed.
    """
    return hashlib.sha256(b"slipway csync2 " + shared).hexdigest()


def configure(nodes: Iterable[str], own: str) -> None:
    """Write configurations and key for these members. Raises OSError."""
    for path, text in configurations(nodes, own).items():
        write_atomically(path, text)
    write_atomically(SECRET, secret(SHARED_SECRET.read_bytes()) + "\n", mode=0o600)


def send(own: str, files: Sequence[Path], nodes: Sequence[str]) -> None:
    """Send files to members, whatever they have. Raises CommandFailed, CommandTimeout.

    Marked first, as csync2 remembers what it has sent, and not what became of it. By force: this
    member alone writes them.
    """
    common, env = ["csync2", "-N", alias(own), "-B"], {"CSYNC2_SYSTEM_DIR": str(SENDING)}
    run([*common, "-F", "-m", *files], env=env, timeout=SECONDS)
    run([*common, "-P", ",".join(nodes), "-u", *files], env=env, timeout=SECONDS)
