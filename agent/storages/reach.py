"""Whether a storage's server answers: asked before anything that would hang without it."""

from __future__ import annotations

import socket

from agent.storages.model import Gluster, Iscsi, Nfs, Rbd, Smb, Storage

# A server in the same room that does not answer within this is down.
SECONDS = 3.0
NFS_PORT = 2049
SMB_PORT = 445
# Of Ceph's monitors: the port of messenger version 2, then that of version 1.
MONITOR_PORTS = (3300, 6789)
GLUSTER_PORT = 24007


def servers_of(storage: Storage) -> tuple[tuple[str, int], ...]:
    """Host and TCP port of each server, any one of which is enough; none for local storage."""
    match storage:
        case Nfs(server=server):
            return ((server, NFS_PORT),)
        case Smb(server=server):
            return ((server, SMB_PORT),)
        case Iscsi(portal=portal, port=port):
            return ((portal, port),)
        case Rbd(monitors=monitors):
            return tuple((host, port) for host in monitors for port in MONITOR_PORTS)
        case Gluster(servers=servers):
            return tuple((host, GLUSTER_PORT) for host in servers)
    return ()


def answering(storage: Storage) -> str | None:
    """The first server that answers; "" for a storage without one, None when none answers."""
    servers = servers_of(storage)
    return next((host for host, port in servers if _answers(host, port)), None if servers else "")


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), SECONDS).close()
    except OSError:
        return False
    return True
