"""Parameters on the kernel's command line."""

from __future__ import annotations

from pathlib import Path

COMMAND_LINE = Path("/proc/cmdline")


def parameter(text: str, name: str) -> str:
    """The value of NAME=VALUE in a command line, empty where it is not there; the last counts."""
    values = [word.partition("=")[2] for word in text.split() if word.startswith(f"{name}=")]
    return values[-1] if values else ""
