"""What iPXE and GRUB are told to do: install, start from disk, or wait and ask again.

The contract between a netboot server and the machines that it starts. All functions are pure. The
templates are in config-templates/netboot/server.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from agent.core.errors import SlipwayError
from agent.core.template import render

# As on the ISO. The last console is the main one.
KERNEL_PARAMETERS = (
    *("boot=live", "nopersistence", "noeject", "systemd.show_status=error"),
    *("console=tty0", "console=ttyS0,115200"),
)
# Digests of the images that the live system consists of, below a netboot tree.
LIVE_SUMS = "live/SHA256SUMS"
# Seconds until a machine that waits asks again, and until one does whose question failed.
WAIT_SECONDS, RETRY_SECONDS = 15, 3
TEMPLATES = "netboot/server"
# What is no punctuation of iPXE's or GRUB's language, inside of single quotes in GRUB.
WORD = re.compile(r"[A-Za-z0-9_.,:;/=?&%+@~\[\]-]+")


@dataclass(frozen=True)
class Tree:
    """A netboot tree, served. url: its http:// address without a slash at the end;
    sums_sha256: SHA-256 of its live/SHA256SUMS, by which machines know the right files.
    """

    url: str
    sums_sha256: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """The kernel parameters that make the live system fetch its images from here."""
        medium = (f"slipway.medium={self.url}", f"slipway.medium-sha256={self.sums_sha256}")
        return (*KERNEL_PARAMETERS, *medium)


def tree_of(folder: Path, url: str) -> Tree:
    """The tree in a folder (out/netboot), served at this address. Raises OSError, SlipwayError."""
    _split(url)
    return Tree(url.rstrip("/"), tree_digest(folder))


def tree_digest(folder: Path) -> str:
    """SHA-256 of the list of images of the tree in a folder. Raises OSError."""
    return hashlib.sha256((folder / LIVE_SUMS).read_bytes()).hexdigest()


def ipxe_install(tree: Tree, parameters: Sequence[str] = ()) -> str:
    """iPXE: start the installer. parameters: further kernel parameters. Raises SlipwayError."""
    _split(tree.url)
    words = _checked((*tree.parameters, *parameters))
    return render(f"{TEMPLATES}/install.ipxe", url=tree.url, parameters=words, seconds=WAIT_SECONDS)


def ipxe_disk() -> str:
    """iPXE: start from the first disk, in BIOS and in UEFI."""
    return render(f"{TEMPLATES}/disk.ipxe")


def ipxe_wait(again: str, seconds: int = WAIT_SECONDS) -> str:
    """iPXE: wait, then ask again. again: the address that this machine asks, complete."""
    return render(f"{TEMPLATES}/wait.ipxe", again=_checked([again])[0], seconds=seconds)


def grub_first(url: str) -> str:
    """GRUB's first configuration, /grub/grub.cfg: asks url/boot/grub?mac=…&uuid=…&serial=….

    url: the server's http:// address. What the server answers is run; when it comes back, the
    server is asked again. Raises SlipwayError.
    """
    parts = _split(url)
    return render(
        f"{TEMPLATES}/first.cfg",
        url=url,
        device=_device(parts),
        path=parts.path.rstrip("/"),
        seconds=RETRY_SECONDS,
    )


def grub_install(tree: Tree, parameters: Sequence[str] = ()) -> str:
    """GRUB: start the installer. parameters: further kernel parameters. Raises SlipwayError."""
    parts = _split(tree.url)
    words = _checked((*tree.parameters, *parameters))
    return render(
        f"{TEMPLATES}/install.cfg", device=_device(parts), path=parts.path, parameters=words
    )


def grub_disk() -> str:
    """GRUB: start what the installer put on an ESP, or leave it to the firmware's next entry."""
    return render(f"{TEMPLATES}/disk.cfg")


def grub_wait(seconds: int = WAIT_SECONDS) -> str:
    """GRUB: wait; then its first configuration asks again."""
    return render(f"{TEMPLATES}/wait.cfg", seconds=seconds)


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or not WORD.fullmatch(url):
        raise SlipwayError(
            "machines start from an address like http://192.0.2.1:8080/netboot",
            where=url,
            hint="Firmware and boot loaders know no certificates; the live system proves what it "
            "fetches by its digest.",
        )
    return parts


def _device(parts: SplitResult) -> str:
    """GRUB's name of a web server."""
    return f"http,{parts.netloc}"


def _checked(words: Sequence[str]) -> tuple[str, ...]:
    for word in words:
        if not WORD.fullmatch(word):
            raise SlipwayError(
                "this cannot be told to a boot loader",
                where=word.partition("=")[0],
                hint=f"Allowed are letters, digits and {'_.,:;/=?&%+@~[]-'}",
            )
    return tuple(words)
