"""The server as a whole: state, certificate, application, nginx, dnsmasq, until it is stopped."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from tempfile import mkdtemp

import uvicorn

from agent.core.errors import SlipwayError
from image.serve import certificate, front
from image.serve.app import application
from image.serve.certificate import Certificate
from image.serve.load_site import LoadedSite
from image.serve.machine_api import Addresses, MachineApi
from image.serve.page import session
from image.serve.page.session import Sessions
from image.serve.page.views import Page
from image.serve.store import Store

NETBOOT = Path(__file__).resolve().parents[2] / "out/netboot"
STATE = "state.sqlite"
# Connections that wait to be accepted.
BACKLOG = 4096
# How long requests that are under way may take when the server is stopped, in seconds.
STOP_SECONDS = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Folders:
    """state: kept for ever; run: of this run only; netboot: the files to serve."""

    state: Path
    run: Path
    netboot: Path


def serve(loaded: LoadedSite) -> None:
    """Serve until a signal says to stop. Raises SlipwayError."""
    with ExitStack() as stack:
        folders = Folders(
            stack.enter_context(locked(state_folder(loaded))),
            stack.enter_context(run_folder()),
            netboot_folder(loaded),
        )
        if not folders.netboot.is_dir():
            raise SlipwayError(
                "there is no such folder",
                where=str(folders.netboot),
                hint="Build the netboot files with ./build.sh, or set server.netboot.",
            )
        store = Store(folders.state / STATE)
        stack.callback(store.close)
        trusted = server_certificate(loaded, folders.state)
        addresses = addresses_of(loaded, trusted)
        sessions, password = load_sessions(loaded, folders.state)
        api = MachineApi(store, loaded, addresses, folders.netboot)
        app = application(api, *Page(store, sessions).routes())
        listener = stack.enter_context(listening(folders.run / front.SOCKET, folders.netboot))
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        problems: list[SlipwayError] = []

        def ended(error: SlipwayError) -> None:
            if not server.should_exit:
                problems.append(error)
                server.should_exit = True

        start_children(loaded, addresses, trusted, folders, ended)
        if password:
            print(f"the password of the page, told only once: {password}")
        print(f"serving {addresses.https}/ and {addresses.http}/", flush=True)
        asyncio.run(server.serve(sockets=[listener]))
        if problems:
            raise problems[0]


def netboot_folder(loaded: LoadedSite) -> Path:
    """Where the netboot files are."""
    given = loaded.site.server.netboot
    return loaded.resolve(given) if given else NETBOOT


def state_folder(loaded: LoadedSite) -> Path:
    """Where the server keeps its state."""
    given = loaded.site.server.state
    return loaded.resolve(given if given else loaded.path.with_suffix(".state").absolute())


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """A state folder for this server alone. Raises SlipwayError."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        stream = open(folder / "lock", "w")
    except OSError as error:
        raise SlipwayError(f"cannot be written: {error.strerror}", where=str(folder)) from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SlipwayError("another server uses this state", where=str(folder)) from None
        yield folder


@contextmanager
def run_folder() -> Iterator[Path]:
    """A folder for this run, which nginx and dnsmasq can look into."""
    folder = Path(mkdtemp(prefix="slipway-serve-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def listening(path: Path, netboot: Path) -> Iterator[socket.socket]:
    """The socket between nginx and the server, which only they can use."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        user = front.web_user(netboot)
        if user != "root":
            shutil.chown(path, user)
        listener.listen(BACKLOG)
        yield listener


def load_sessions(loaded: LoadedSite, state: Path) -> tuple[Sessions, str]:
    """Sessions of the page, and its password if it has just been made. Raises SlipwayError."""
    given = loaded.site.server.password_file
    return session.load(state, loaded.resolve(given) if given else None)


def server_certificate(loaded: LoadedSite, state: Path) -> Certificate:
    """The certificate that was given, or the server's own. Raises SlipwayError."""
    server = loaded.site.server
    if server.certificate and server.key:
        return certificate.read(loaded.resolve(server.certificate), loaded.resolve(server.key))
    return certificate.own(state, server.address)


def addresses_of(loaded: LoadedSite, trusted: Certificate) -> Addresses:
    """Where machines find the server."""
    server = loaded.site.server
    host = server.address
    try:
        host = f"[{host}]" if isinstance(ip_address(host), IPv6Address) else host
    except ValueError:
        pass
    http = f"http://{host}" + (f":{server.http_port}" if server.http_port != 80 else "")
    https = f"https://{host}" + (f":{server.https_port}" if server.https_port != 443 else "")
    static = (server.static_url or f"{http}/netboot").rstrip("/")
    return Addresses(http, https, static, trusted.fingerprint)


def start_children(
    loaded: LoadedSite,
    addresses: Addresses,
    trusted: Certificate,
    folders: Folders,
    ended: front.Ended,
) -> None:
    """Start nginx, and dnsmasq where the site has [dhcp]. Raises SlipwayError."""
    server, dhcp = loaded.site.server, loaded.site.dhcp
    text = front.nginx_configuration(server, folders.run, folders.netboot, trusted, addresses.https)
    front.start_nginx(folders.run, text, ended)
    if dhcp:
        places = (folders.run, folders.state / "leases", folders.netboot)
        front.start_dnsmasq(dhcp, server.address, addresses, places, ended)
