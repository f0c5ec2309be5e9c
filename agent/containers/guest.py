"""What a container finds inside: its name and network, written the way its root may write.

Everything inside belongs to the container, links that lead out of it as well. So files are
unpacked by a user of the container's range, who can change nothing of the node.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from agent.containers.model import Container
from agent.core.commands import Command, command
from agent.core.template import render

# Root of every container and 65535 more, above what the node's accounts get; /etc/subuid has it.
FIRST_ID, IDS = 1_000_000_000, 65536
MAPPED = tuple(
    word for kind in "ug" for word in ("-m", f"{kind}:0:{FIRST_ID}:{IDS}")
)  # fmt: skip
UNPACK = ("tar", "--extract", "--numeric-owner", "--xattrs", "--xattrs-include=security.capability")
# A container gets its devices from LXC, and may make none.
NO_DEVICES = ("--exclude=./dev/*", "--exclude=dev/*")


def unpack(template: Path, root: Path) -> tuple[Command, ...]:
    """Fill the root from a template's archive."""
    inside = (*UNPACK, *NO_DEVICES, "--directory", root, "--file", template)
    return (
        command("chown", f"{FIRST_ID}:{FIRST_ID}", root),
        command("lxc-usernsexec", *MAPPED, "--", *inside),
    )


def personalize(container: Container, root: Path) -> Command:
    """Write the container's own files."""
    files = own_files(container)
    about = "\n".join(line for name in files for line in (f"{name}:", *files[name].splitlines()))
    inside = ("tar", "--extract", "--directory", str(root), "--file", "-")
    argv = ("lxc-usernsexec", *MAPPED, "--", *inside)
    return Command(argv, input=_archive(files), about_input=about)


def own_files(container: Container) -> Mapping[str, str]:
    """Text by path: for systemd-networkd, and for ifupdown of Debian and Alpine."""
    names = ["etc/hostname", "etc/hosts", "etc/machine-id"]
    names += ["etc/network/interfaces", "etc/systemd/network/05-slipway.network"]
    if container.network.name_servers:
        names.append("etc/resolv.conf")
    return {name: render(f"agent/container/{name}", container=container) for name in names}


def _archive(files: Mapping[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text.encode()), 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()
