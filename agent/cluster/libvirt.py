"""libvirt between members: it listens for them with the node's certificate (port 16514).

libvirt looks for certificates in fixed places, which become links to the node's own. The socket
starts with libvirtd where they are (libvirtd-tls.socket.d/slipway.conf).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.cluster.folder import Folder
from agent.core.command import run
from agent.systemd import Systemd

PLACE = Path("/etc/pki")
SOCKET, SERVICE = "libvirtd-tls.socket", "libvirtd.service"
SECONDS = 60


def uri(node: str) -> str:
    """Where a member's libvirt is."""
    return f"qemu+tls://{node}/system"


def links(folder: Folder, place: Path = PLACE) -> Mapping[Path, Path | None]:
    """What each of libvirt's files leads to; None: it must not be there, as an empty list of
    revoked certificates keeps libvirt from starting.
    """
    return {
        place / "CA/cacert.pem": folder.authority,
        place / "CA/crl.pem": folder.revoked if folder.read(folder.revoked) else None,
        place / "libvirt/servercert.pem": folder.certificate,
        place / "libvirt/private/serverkey.pem": folder.key,
        place / "libvirt/clientcert.pem": folder.certificate,
        place / "libvirt/private/clientkey.pem": folder.key,
    }


def configure(folder: Folder, place: Path = PLACE) -> None:
    """Make the links. Raises OSError."""
    for link, target in links(folder, place).items():
        if link.is_symlink() and (target is None or link.readlink() != target):
            link.unlink()
        if target is not None and not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)


def take_up(systemd: Systemd) -> None:
    """Have a libvirt that runs use the certificates as they are now. Guests go on.

    Raises Retry, CommandFailed.
    """
    service, socket = systemd.units([SERVICE, SOCKET])
    if service.active_state != "active":
        return
    if socket.active_state == "active":
        run(["virt-admin", "server-update-tls", "libvirtd"], timeout=SECONDS)
    else:
        # Only before it starts is libvirtd given a socket.
        systemd.restart(SERVICE)
        systemd.prove([SERVICE, SOCKET])
