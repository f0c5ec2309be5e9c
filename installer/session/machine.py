"""What a session does to the machine that it runs on, each by one well-known tool."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.bus import calls, system_bus
from agent.core.command import run
from agent.core.errors import SlipwayError
from agent.core.template import render
from agent.systemd import SERVICE, Systemd
from installer.inventory.model import Inventory
from installer.inventory.probe import probe
from installer.plan.keyboard import xkb_keyboard
from installer.session.protocol import Access
from installer.web import WebError, check_status, request
from installer.web_server import Server

SYS = Path("/sys")
NETWORK_STATE = Path("/run/NetworkManager/devices")
KEYBOARD = Path("/etc/default/keyboard")
# Without letters that look like others.
PASSWORD_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
PASSWORD_LENGTH = 12
STICK_FILESYSTEMS = ("vfat", "exfat", "ext4")
KEY_SERVERS = {"gh": "https://github.com/{}.keys", "gl": "https://gitlab.com/{}.keys"}
KEYS_BYTES = 1 << 16
REPLY_BYTES = 4096
# Emergencies only: what else the kernel says is in its log.
KERNEL_LEVEL = "1"
REBOOT = {"reboot": ["systemctl", "reboot"], "power-off": ["systemctl", "poweroff"]}


class Machine:
    """This machine, in the live system. Every method may raise SlipwayError."""

    def probe(self) -> Inventory:
        return probe()

    def fingerprint(self) -> object:
        """Something that changes when cables, leases or disks do; cheap to read."""
        carriers = [
            (path.parent.name, _read(path)) for path in sorted(SYS.glob("class/net/*/carrier"))
        ]
        leases = [(path.name, path.stat().st_mtime) for path in sorted(NETWORK_STATE.glob("*"))]
        return carriers, leases, sorted(path.name for path in SYS.glob("class/block/*"))

    def keep_consoles_quiet(self) -> None:
        """Neither the kernel nor systemd writes over a front end."""
        run(["dmesg", "--console-level", KERNEL_LEVEL])
        with calls(SERVICE):
            system_bus().get(SERVICE)[f"{SERVICE}.Manager"].SetShowStatus("no")

    def set_keyboard(self, code: str) -> None:
        """Use this layout on the machine's own keyboard, at once."""
        KEYBOARD.write_text(render("node/etc/default/keyboard", keyboard=xkb_keyboard(code)))
        run(["setupcon", "--keyboard-only", "--force"], timeout=30)

    def hash_password(self, password: str) -> str:
        """The crypt(3) hash of a password (SHA-512)."""
        return run(["openssl", "passwd", "-6", "-stdin"], input=f"{password}\n").stdout.strip()

    def open_ssh(self) -> Access:
        """Let people in over SSH, as root with a password made for this session."""
        password = "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(PASSWORD_LENGTH))
        run(["chpasswd"], input=f"root:{password}\n")
        Systemd().bring_up(("ssh.service",))
        return Access(user="root", password=password)

    def public_keys(self, source: str) -> list[str]:
        """The public SSH keys of a person at GitHub or GitLab: "gh:NAME" or "gl:NAME"."""
        kind, _, name = source.partition(":")
        if kind not in KEY_SERVERS or not name.replace("-", "").replace("_", "").isalnum():
            raise SlipwayError("expected gh:NAME or gl:NAME", where=source)
        server = Server(KEY_SERVERS[kind].format(name))
        reply = _ask(server, "GET", KEYS_BYTES, None)
        keys = reply.decode(errors="replace").splitlines()
        if not keys:
            raise SlipwayError("this person has no public keys there", where=source)
        return keys

    def sticks(self) -> list[str]:
        """Partitions of USB sticks that a file can be saved to."""
        inventory = probe()
        return [
            content.device
            for disk in inventory.disks
            if disk.bus == "usb" and not disk.in_use
            for content in disk.contents
            if content.kind in STICK_FILESYSTEMS
        ]

    def save(self, device: str, name: str, content: bytes) -> None:
        """Write a file to the top folder of a stick's partition."""
        if device not in self.sticks():
            raise SlipwayError("is not a USB stick with a file system", where=device)
        with _mounted(device) as folder:
            (folder / name).write_bytes(content)

    def send(self, url: str, document: dict[str, object]) -> None:
        """POST a document to a web server."""
        _ask(Server(url), "POST", REPLY_BYTES, document)

    def leave(self, mode: str) -> None:
        """Restart the machine or switch it off."""
        run(REBOOT[mode])


def _ask(server: Server, method: str, limit: int, document: object) -> bytes:
    try:
        reply = request(server, method, limit, document=document)
        check_status(reply, server)
    except SlipwayError:
        raise
    except Exception as error:
        raise WebError(str(error), where=str(server)) from None
    return reply.content


def _read(path: Path) -> str:
    # The carrier of a link that is down cannot be read.
    try:
        return path.read_text().strip()
    except OSError:
        return ""


@contextmanager
def _mounted(device: str) -> Iterator[Path]:
    with TemporaryDirectory(prefix="slipway-stick-") as folder:
        run(["mount", "--options", "nodev,nosuid,noexec", device, folder])
        try:
            yield Path(folder)
        finally:
            run(["umount", folder])
