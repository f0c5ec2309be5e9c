"""The real server as a process, for tests: started, killed, and started again."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.serve.simulated import trusting

TOP = Path(__file__).resolve().parents[2]
START_SECONDS = 120
STOP_SECONDS = 60
# The kernel takes none of these for an outgoing connection, which would be in the way of a server
# that is started again.
PORTS = range(10_000, 32_000)
ANSWER = """
[answer]
wipe = "selected"
global.country = "at"
global.fqdn = "node{{ counter('nodes') }}.example.org"
global.keyboard = "de"
global.mailto = "admin@example.org"
global.timezone = "Europe/Vienna"
global.root-password = "not so secret"
network.source = "from-answer"
network.cidr = "{{ address('10.0.0.0/16', 10) }}/16"
network.gateway = "10.0.0.1"
network.dns = "10.0.0.1"
disk-setup.filesystem = "ext4"
disk-setup.disk-list = ["sda"]
"""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            break
    return found


def site_text(http: int, https: int, approve: str = "on-sight") -> str:
    """A site on the loopback address; the password of its page is in the file `password`."""
    return (
        f'[server]\naddress = "127.0.0.1"\nhttp-port = {http}\nhttps-port = {https}\n'
        f'netboot = "netboot"\napprove = "{approve}"\npassword-file = "password"\n{ANSWER}'
    )


@dataclass
class Serving:
    """A server's process, and where it is."""

    folder: Path
    http: str
    https: str
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        """All that it said."""
        return (self.folder / "server.log").read_text()

    def restart(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End the server and start it again."""
        stop(self.process, how)
        self.process = start(self.folder)
        wait_until_it_answers(self)


def make_site(folder: Path, text: str, file_bytes: int = 100_000) -> None:
    """A site file with what belongs to it, and netboot files of this size."""
    open_to_others(folder)
    (folder / "site.toml").write_text(text)
    (folder / "password").write_text("let me in\n")
    live = folder / "netboot/live"
    live.mkdir(parents=True)
    for name in ("vmlinuz", "initrd.img", "10-node.squashfs"):
        (live / name).write_bytes(bytes(file_bytes))
    (live / "SHA256SUMS").write_text("")
    for name in ("undionly.kpxe", "shimx64.efi", "grubx64.efi"):
        (folder / "netboot" / name).write_bytes(bytes(1000))


def open_to_others(folder: Path) -> None:
    """So that nginx and dnsmasq, which are not root, find their way below a test's folder."""
    for one in (folder, *folder.parents):
        if not one.stat().st_mode & 0o001:
            one.chmod(one.stat().st_mode | 0o011)


@contextmanager
def serving(
    folder: Path, text: Callable[[int, int], str] = site_text, file_bytes: int = 100_000
) -> Iterator[Serving]:
    """A real server for a site in this folder, with netboot files of this size."""
    http, https = free_ports(2)
    make_site(folder, text(http, https), file_bytes)
    server = Serving(
        folder, f"http://127.0.0.1:{http}", f"https://127.0.0.1:{https}", start(folder)
    )
    try:
        wait_until_it_answers(server)
        yield server
    finally:
        stop(server.process, signal.SIGTERM)


def start(folder: Path, around: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start the server's process. around: a program that runs it."""
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen(
            [*around, sys.executable, "-m", "image", "serve", "--site", folder / "site.toml"],
            cwd=TOP,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """End it, and wait until it is gone."""
    process.send_signal(how)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)
        raise


def processes_below(parent: int) -> dict[int, str]:
    """The command lines of all processes that this one started, and of theirs, by number."""
    parents, lines = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat = (path / "stat").read_text().rpartition(")")[2].split()
            lines[int(path.name)] = (path / "cmdline").read_text().replace("\0", " ")
        except OSError:
            # It ended meanwhile.
            continue
        parents[int(path.name)] = int(stat[1])

    def is_below(one: int) -> bool:
        above = parents.get(one, 0)
        return above == parent or (above != 0 and is_below(above))

    return {one: line for one, line in lines.items() if is_below(one)}


def wait_until_gone(processes: Iterable[int]) -> None:
    """Until none of these processes is there any more."""
    end = time.monotonic() + STOP_SECONDS
    while left := [one for one in processes if Path(f"/proc/{one}").exists()]:
        assert time.monotonic() < end, f"still there: {left}"
        time.sleep(0.1)


def wait_until_it_answers(server: Serving) -> None:
    """Until nginx and the application behind it both answer."""
    end = time.monotonic() + START_SECONDS
    with httpx.Client(verify=trusting()) as client:
        while True:
            try:
                if client.get(f"{server.https}/healthz").status_code == 200:
                    return
                problem = "it answers with an error"
            except httpx.TransportError as error:
                problem = str(error)
            assert server.process.poll() is None, server.log
            assert time.monotonic() < end, f"the server does not answer: {problem}\n{server.log}"
            time.sleep(0.1)
