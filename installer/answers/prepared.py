"""What `image prepare` puts on an ISO, and what the installer reads of it.

The folder /slipway of the ISO holds some of: an answer file, where to get one, and a program for
the node's first boot.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from installer.answers.places import MEDIUM, Preparation, SourceError

FOLDER = MEDIUM.parent
SOURCE = FOLDER / "source.toml"
FIRST_BOOT = FOLDER / "first-boot"


def load(path: Path = SOURCE) -> Preparation:
    """Where the ISO was prepared to look; without the file, nowhere. Raises SourceError."""
    try:
        return parse(path.read_bytes(), str(path)) if path.exists() else Preparation()
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", where=str(path)) from None


def parse(content: bytes, name: str) -> Preparation:
    """Read the content of source.toml; name stands for it in messages. Raises SourceError."""
    try:
        return Preparation.model_validate(tomllib.loads(content.decode()))
    except ValueError:
        raise SourceError(
            "these are not settings that this version writes",
            where=name,
            hint="Prepare the ISO again, with the version of Slipway that is on it.",
        ) from None
