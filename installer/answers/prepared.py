"""What `image prepare` puts on an ISO, and what the installer reads of it.

The folder /slipway of the ISO holds some of: an answer file, where to get one, and a program for
the node's first boot.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from agent.core.errors import SlipwayError
from installer.answers.places import MEDIUM, Preparation, SourceError

FOLDER = MEDIUM.parent
SOURCE = FOLDER / "source.toml"
FIRST_BOOT = FOLDER / "first-boot"
MAXIMUM_PROGRAM_BYTES = 1 << 20
# A script, or an ELF program; systemd starts nothing else.
PROGRAM_STARTS = (b"#!", b"\x7fELF")


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


def check_program(content: bytes, where: str) -> None:
    """Raises SlipwayError when this cannot be a program for the first boot."""
    if len(content) > MAXIMUM_PROGRAM_BYTES:
        limit = f"{MAXIMUM_PROGRAM_BYTES >> 20} MiB"
        raise SlipwayError(f"a program for the first boot has at most {limit}", where=where)
    if not content.startswith(PROGRAM_STARTS):
        raise SlipwayError(
            "this is not a program",
            where=where,
            hint='A script starts with "#!" and the path of its interpreter.',
        )
