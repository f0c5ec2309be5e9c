"""SSH between members, for replication alone.

A member with a job has a key of its own and tells its public part, and the host key of its SSH
server, to all members in the CIB: `ssh-NODE` is `KEY HOSTKEY`. The key opens nothing but
/usr/lib/slipway/replication-target, which lets syncoid's commands through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from agent.core.command import run
from agent.core.files import write_atomically
from agent.replication.plan import FOLDER, KEY, KNOWN_HOSTS

TRUST = "ssh-"
AUTHORIZED_KEYS = FOLDER / "authorized_keys"
HOST_KEY = Path("/etc/ssh/ssh_host_ed25519_key.pub")
GUARD = "/usr/lib/slipway/replication-target"
KIND = "ssh-ed25519"
SECONDS = 60
_TEXT = re.compile(r"([A-Za-z0-9+/=]+) ([A-Za-z0-9+/=]+)")


def keys(texts: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Key and host key of every member that told them, in base64."""
    found = {}
    for name, text in texts.items():
        if name.startswith(TRUST) and (match := _TEXT.fullmatch(text)):
            found[name.removeprefix(TRUST)] = (match[1], match[2])
    return found


def files(
    known: Mapping[str, tuple[str, str]], members: Mapping[str, tuple[str, ...]], own: str
) -> dict[Path, str]:
    """What SSH reads: who may come, from where, and what the others' servers are.

    members: their addresses. Who is no member any more is left out.
    """
    allowed, hosts = [], []
    for node, (key, host) in sorted(known.items()):
        if node != own and node in members:
            sources = ",".join(members[node])
            options = f'restrict,from="{sources}",command="{GUARD}"'
            allowed.append(f"{options} {KIND} {key} slipway-{node}\n")
            hosts.append(f"{node} {KIND} {host}\n")
    return {AUTHORIZED_KEYS: "".join(allowed), KNOWN_HOSTS: "".join(hosts)}


def write(texts: Mapping[Path, str]) -> None:
    """Write the files that differ. Raises OSError."""
    for path, text in texts.items():
        if not path.exists() or path.read_text() != text:
            write_atomically(path, text, mode=0o600)


def own_keys(key: Path = KEY, host: Path = HOST_KEY) -> str:
    """This node's text for the others; the key is made when there is none. Raises CommandFailed,
    OSError.
    """
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "slipway"]
        run([*make, "-f", key], timeout=SECONDS)
    public = key.with_name(f"{key.name}.pub")
    return " ".join(path.read_text().split()[1] for path in (public, host))
