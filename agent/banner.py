"""The login banner: what console and SSH show before and after somebody logs in.

The package links it into /etc/issue.d and /etc/motd.d.
"""

from __future__ import annotations

from pathlib import Path

from agent.core.command import run
from agent.core.files import write_atomically
from agent.core.template import render
from agent.status import Status

PATH = Path("/run/slipway/banner")


def show(status: Status, path: Path) -> None:
    """Write the banner; consoles where nobody is logged in show it at once.

    Raises OSError, ToolMissing.
    """
    text = render("agent/run/slipway/banner", status=status)
    if path.exists() and path.read_text() == text:
        return
    write_atomically(path, text)
    run(["agetty", "--reload"], check=False)
