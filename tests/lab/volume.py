"""The volume that hands an answer file to the installer."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from agent.core.command import run

LABEL = "SLIPWAY"
SIZE_KIB = 2048


def make_volume(image: Path, files: Mapping[str, str | bytes], label: str = LABEL) -> Path:
    """Make a FAT image with these files at its root, replacing an older one; returns `image`.

    files: content by name; text is written as UTF-8.
    """
    image.unlink(missing_ok=True)
    image.parent.mkdir(parents=True, exist_ok=True)
    run(["mkfs.vfat", "-n", label, "-C", image, str(SIZE_KIB)])
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            source = Path(folder, name)
            source.write_bytes(content.encode() if isinstance(content, str) else content)
            run(["mcopy", "-i", image, source, f"::{name}"])
    return image
