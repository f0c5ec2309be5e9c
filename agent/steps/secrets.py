"""Secrets: what the installer left for the first boot is erased once nothing needs it."""

from __future__ import annotations

import shutil
from pathlib import Path

from agent.config import SECRETS
from agent.step import Fatal, Step


class Secrets(Step):
    """No secret of the answer file is left on the node."""

    name = "secrets"

    def __init__(self, needs: tuple[str, ...], folder: Path = SECRETS) -> None:
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
