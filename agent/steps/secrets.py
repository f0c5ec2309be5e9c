"""Secrets: what the installer left for the first boot is erased once nothing needs it."""

from __future__ import annotations

import shutil
from pathlib import Path

from agent.step import Fatal, Step

# The installer's only place for secrets that a step of the first boot needs (mode 0700).
FOLDER = Path("/var/lib/slipway/secrets")


class Secrets(Step):
    """No secret of the answer file is left on the node."""

    name = "secrets"

    def __init__(self, needs: tuple[str, ...], folder: Path = FOLDER) -> None:
        """needs: every step that may use a secret."""
        self.needs = needs
        self.folder = folder

    def desired(self) -> object:
        return {"absent": str(self.folder)}

    def observe(self) -> tuple[str, ...]:
        return (f"{self.folder} still exists",) if self.folder.exists() else ()

    def act(self) -> None:
        shutil.rmtree(self.folder)

    def prove(self) -> str:
        if self.folder.exists():
            raise Fatal(f"{self.folder} cannot be erased", hint="remove it by hand")
        return ""
