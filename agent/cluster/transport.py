"""pcsd behind the tunnel, and libvirt: what other members need to reach this node."""

from __future__ import annotations

from collections.abc import Sequence

from agent.cluster import libvirt, pcs, tunnel, units
from agent.cluster.folder import Folder
from agent.systemd import Systemd


def open_transport(folder: Folder, addresses: Sequence[str], systemd: Systemd) -> str:
    """Start tunnel and pcsd, and give the token that this node's pcsd accepts.

    Safe to repeat: the token stays the same until keys are rotated. Raises SlipwayError.
    """
    if not folder.revoked.exists():
        folder.write(folder.revoked, "", secret=False)
    if tunnel.configure(addresses, folder):
        systemd.restart(tunnel.UNIT)
    units.start(systemd, units.TRANSPORT)
    libvirt.configure(folder)
    libvirt.take_up(systemd)
    token = folder.read(folder.pcsd_token)
    if token is None:
        token = pcs.new_token()
        folder.write(folder.pcsd_token, token)
    pcs.accept_token(token)
    return token
