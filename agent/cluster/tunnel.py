"""The tunnel between members: mutual TLS around services that verify nobody themselves.

They listen on this machine only. stunnel takes their ports on the node's addresses, and lets in
who has a certificate of the cluster's authority. An nftables rule leads what this node sends to
these ports of others through stunnel, which asks the other side for the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.cluster.folder import Folder
from agent.core.files import write_atomically
from agent.core.template import render

STUNNEL = Path("/etc/stunnel/slipway.conf")
REDIRECT = Path("/etc/slipway/tunnel.nft")
UNIT = "stunnel@slipway.service"
# Where each member offers its templates to the others.
TEMPLATES = 2227
# Where each member tells the others how it is.
OVERVIEW = 2228
# name, port of the service, port on which stunnel takes what this node sends.
PORTS = (
    ("pcsd", 2224, 22400),
    ("csync2", 30865, 22401),
    ("templates", TEMPLATES, 22402),
    ("overview", OVERVIEW, 22403),
)


def alias(node: str) -> str:
    """A second name of a member, for programs behind the tunnel: they see it at 127.0.0.1."""
    return f"{node}.tunnel"


def texts(addresses: Sequence[str], folder: Folder) -> dict[Path, str]:
    """The configuration of stunnel and nftables for a node with these addresses."""
    values: dict[str, object] = {"addresses": addresses, "folder": folder, "ports": PORTS}
    values["revoked"] = bool(folder.read(folder.revoked))
    return {
        STUNNEL: render("agent/etc/stunnel/slipway.conf", **values),
        REDIRECT: render("agent/etc/slipway/tunnel.nft", **values),
    }


def configure(addresses: Sequence[str], folder: Folder) -> bool:
    """Write the configuration where it differs; says whether it did. Raises OSError."""
    changed = {
        path: text
        for path, text in texts(addresses, folder).items()
        if not path.exists() or path.read_text() != text
    }
    for path, text in changed.items():
        write_atomically(path, text)
    return bool(changed)
