"""nginx in front of the server, and dnsmasq beside it: their configuration, and starting them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from agent.core.command import Argument, run
from agent.core.errors import CommandFailed, SlipwayError
from agent.core.files import write_atomically
from agent.core.template import render
from image import netboot_scripts
from image.serve.certificate import Certificate
from image.serve.child import Child, as_user
from image.serve.machine_api import Addresses
from image.serve.site import Dhcp, Server

# Who nginx' workers and dnsmasq are, and what they may do.
WEB_USER = "www-data"
DHCP_USER = "dnsmasq"
DHCP_CAPABILITIES = ("net_bind_service", "net_admin", "net_raw")
# What firmware fetches by TFTP, from the netboot files.
TFTP_FILES = ("undionly.kpxe", "shimx64.efi", "grubx64.efi")
SOCKET = "server.socket"
# There only where the kernel has IPv6.
IPV6 = Path("/proc/net/if_inet6")

Ended = Callable[[SlipwayError], None]


def nginx_configuration(
    server: Server, run_folder: Path, netboot: Path, certificate: Certificate, https: str
) -> str:
    """The text of nginx.conf."""
    return render(
        "serve/nginx.conf",
        run=run_folder,
        netboot=netboot,
        http_port=server.http_port,
        https_port=server.https_port,
        https=https,
        certificate=certificate.certificate,
        key=certificate.key,
        user=web_user(netboot),
        workers=os.cpu_count() or 1,
        ipv6=IPV6.exists(),
    )


def web_user(netboot: Path) -> str:
    """The user whom nginx' workers run as: root only where the files are hidden from others."""
    return _user_for(netboot, WEB_USER)


def _user_for(folder: Path, user: str) -> str:
    return user if all(x.stat().st_mode & 0o001 for x in (folder, *folder.parents)) else "root"


def start_nginx(run_folder: Path, configuration: str, ended: Ended) -> Child:
    """Check the configuration and start nginx. Raises SlipwayError."""
    path = run_folder / "nginx.conf"
    write_atomically(path, configuration)
    argv: list[Argument] = ["nginx", "-p", run_folder, "-e", "stderr", "-c", path]
    try:
        run([*argv, "-t", "-q"])
    except CommandFailed as error:
        raise SlipwayError("nginx does not start", hint=error.output) from None
    return Child(argv, ended)


def dnsmasq_configuration(
    dhcp: Dhcp, address: str, http: str, tftp: Path, leases: Path, user: str = DHCP_USER
) -> str:
    """The text of dnsmasq.conf. address: of this server; leases: the file; user: who it runs as."""
    values = {name: getattr(dhcp, name) for name in type(dhcp).model_fields}
    return render(
        "serve/dnsmasq.conf",
        address=address,
        http=http,
        tftp=tftp,
        leases=leases,
        user=user,
        **values,
    )


def start_dnsmasq(
    dhcp: Dhcp, address: str, addresses: Addresses, folders: tuple[Path, Path, Path], ended: Ended
) -> Child:
    """Start dnsmasq. folders: for its configuration, its leases, and of the netboot files.

    Raises SlipwayError.
    """
    run_folder, leases, netboot = folders
    tftp = run_folder / "tftp"
    fill_tftp(tftp, netboot, addresses.http)
    leases.mkdir(exist_ok=True)
    user = _user_for(leases, DHCP_USER)
    shutil.chown(leases, user)
    path = run_folder / "dnsmasq.conf"
    text = dnsmasq_configuration(
        dhcp, address, addresses.http, tftp, leases / "dnsmasq.leases", user
    )
    write_atomically(path, text)
    argv = ["dnsmasq", f"--conf-file={path}"]
    try:
        run([*argv, "--test"])
    except CommandFailed as error:
        raise SlipwayError("dnsmasq does not start", hint=error.output) from None
    return Child(argv, ended, as_user(user, DHCP_CAPABILITIES))


def fill_tftp(tftp: Path, netboot: Path, http: str) -> None:
    """What firmware and GRUB fetch by TFTP. Raises SlipwayError."""
    (tftp / "grub").mkdir(parents=True)
    for name in TFTP_FILES:
        try:
            shutil.copyfile(netboot / name, tftp / name)
        except OSError as error:
            raise SlipwayError(
                f"cannot be read: {error.strerror}",
                where=str(netboot / name),
                hint="Build the netboot files with ./build.sh.",
            ) from None
    (tftp / "grub/grub.cfg").write_text(netboot_scripts.grub_first(http))
