"""Writing of files so that a reader, or the machine after a power cut, sees all or nothing."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace the file's content in one step that survives a power cut.

    The text goes to a hidden file beside it, is forced to disk, and takes the file's place by a
    rename; the folder is made if needed and forced to disk as well. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    with open(new, "w", encoding="utf-8", opener=_private) as stream:
        stream.write(text)
        stream.flush()
        os.fchmod(stream.fileno(), mode)
        os.fsync(stream.fileno())
    os.replace(new, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _private(path: str, flags: int) -> int:
    # Nobody else reads it before its mode is set.
    return os.open(path, flags, 0o600)
