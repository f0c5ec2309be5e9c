"""Servers of storages, in user space, which a machine reaches at its gateway's address."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from agent.core.command import run
from tests.lab.dilation import Dilation, dilated
from tests.lab.wait import until

# Where QEMU's user network leads to this host's loopback.
ADDRESS = "10.0.2.2"
EXPORT, SHARE = "/guests", "guests"
TARGET = "iqn.2026-11.org.example:disks"
ACCOUNT, PASSWORD = "storage", "Zq7-storage"
NFS_PORT, SMB_PORT, ISCSI_PORT = 2049, 445, 3260
START_LIMIT = 60.0

# No credentials for Kerberos, no statistics over D-Bus, and rights that a container lacks.
GANESHA = """
NFS_CORE_PARAM {{
    Protocols = 4; NFS_Port = {port}; allow_set_io_flusher_fail = true;
    Enable_UDP = false; Enable_RQUOTA = false; Enable_NLM = false;
}}
NFSv4 {{ Graceless = true; RecoveryRoot = {folder}/recovery; Minor_Versions = 1, 2; }}
EXPORT {{
    Export_Id = 1; Path = {folder}/files; Pseudo = {export}; Access_Type = RW;
    Squash = No_Root_Squash; SecType = sys; Protocols = 4; Transports = TCP;
    FSAL {{ Name = VFS; }}
}}
"""
SAMBA = """
[global]
server role = standalone server
log file = {folder}/log
private dir = {folder}/private
lock directory = {folder}/lock
state directory = {folder}/state
cache directory = {folder}/cache
pid directory = {folder}/pid
ncalrpc dir = {folder}/ncalrpc
bind interfaces only = yes
interfaces = lo
smb ports = {port}
disable netbios = yes
passdb backend = tdbsam:{folder}/private/passdb.tdb
[{share}]
path = {folder}/files
read only = no
force user = root
"""


@contextmanager
def nfs(folder: Path, dilation: Dilation | None = None) -> Iterator[Path]:
    """An NFS server (nfs-ganesha); gives the folder that it exports.

    dilation: of the time of its clients, whose leases and locks it would take away too early.
    """
    files = _folders(folder, "files", "recovery")
    configuration = folder / "ganesha.conf"
    configuration.write_text(GANESHA.format(folder=folder, port=NFS_PORT, export=EXPORT))
    _folders(Path("/run"), "ganesha", "rpcbind")
    log = ["-L", f"{folder}/log", "-p", f"{folder}/pid", "-N", "EVENT"]
    server = ["ganesha.nfsd", "-F", "-f", str(configuration), *log]
    with (
        _running(["rpcbind", "-f"], folder / "rpcbind.log", 111),
        _running(dilated(server, dilation, datetime.now(UTC)), folder / "output", NFS_PORT),
    ):
        yield files


@contextmanager
def smb(folder: Path) -> Iterator[Path]:
    """An SMB server (Samba) with one account; gives the folder that it shares."""
    files = _folders(folder, "files", "private", "lock", "state", "cache", "pid", "ncalrpc")
    configuration = folder / "smb.conf"
    configuration.write_text(SAMBA.format(folder=folder, port=SMB_PORT, share=SHARE))
    run(["useradd", "--no-create-home", ACCOUNT], check=False)
    password = f"{PASSWORD}\n{PASSWORD}\n"
    run(["smbpasswd", "-c", configuration, "-a", "-s", ACCOUNT], input=password)
    server = ["smbd", "--foreground", "--no-process-group", f"--configfile={configuration}"]
    with _running(server, folder / "output", SMB_PORT):
        yield files


@contextmanager
def iscsi(folder: Path, size: int) -> Iterator[Path]:
    """An iSCSI target (tgt) with one LUN of so many bytes; gives the LUN's file."""
    _folders(folder, "files")
    _folders(Path("/run"), "tgtd")
    lun = folder / "files" / "lun"
    with lun.open("wb") as file:
        file.truncate(size)
    server = ["tgtd", "-f", "--iscsi", f"portal=127.0.0.1:{ISCSI_PORT}"]
    administer = ["tgtadm", "--lld", "iscsi", "--tid", "1", "--op"]
    with _running(server, folder / "output", ISCSI_PORT):
        run([*administer, "new", "--mode", "target", "-T", TARGET])
        unit = ["--mode", "logicalunit", "--lun", "1", "-b", str(lun)]
        run([*administer, "new", *unit])
        run([*administer, "bind", "--mode", "target", "-I", "ALL"])
        yield lun


def _folders(folder: Path, *names: str) -> Path:
    """Make folders; gives the first."""
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / names[0]).chmod(0o777)
    return folder / names[0]


@contextmanager
def _running(argv: Sequence[str | Path], log: Path, port: int) -> Iterator[None]:
    with log.open("wb") as said:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *argv],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        until(lambda: _answers(port), START_LIMIT, f"port {port}", where=str(argv[0]))
        yield
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool | None:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return None
    return True
