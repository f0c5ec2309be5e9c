"""sbd, the daemon that fences a node through its watchdog: how it is set up here."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from agent.core.command import run
from agent.core.errors import CommandFailed, CommandTimeout
from agent.systemd import Systemd

UNIT = "sbd.service"
SETTINGS = Path("/etc/default/sbd")
PROPERTY = "stonith-watchdog-timeout"
SECONDS = 120


@dataclass(frozen=True)
class Sbd:
    """enabled: it starts with the cluster; running: it does now; seconds: 0 when not set.

    watchdog_seconds: after which the watchdog resets this node; fencing_seconds: how long the
    cluster waits for that.
    """

    enabled: bool
    running: bool
    watchdog_seconds: int
    fencing_seconds: int


def read(systemd: Systemd | None = None) -> Sbd:
    """As it is on this node now. Raises Retry when systemd does not answer."""
    manager = systemd or Systemd()
    (unit,) = manager.units([UNIT])
    return Sbd(
        enabled=manager.enabled(UNIT),
        running=unit.active_state == "active",
        watchdog_seconds=_seconds(settings(SETTINGS).get("SBD_WATCHDOG_TIMEOUT", "")),
        fencing_seconds=fencing_seconds(),
    )


def settings(path: Path) -> dict[str, str]:
    """The lines NAME=VALUE of the file; none when it is missing."""
    if not path.exists():
        return {}
    words = shlex.split(path.read_text(), comments=True)
    return {
        name: value for name, equals, value in (word.partition("=") for word in words) if equals
    }


def fencing_seconds() -> int:
    """The cluster's stonith-watchdog-timeout in seconds; 0 when unset, or Pacemaker is down."""
    argv = ["crm_attribute", "--type=crm_config", f"--name={PROPERTY}", "--query", "--quiet"]
    try:
        return _seconds(run(argv, timeout=SECONDS).stdout)
    except (CommandFailed, CommandTimeout):
        return 0


def _seconds(text: str) -> int:
    digits = text.strip().removesuffix("s")
    return int(digits) if digits.isdigit() else 0
