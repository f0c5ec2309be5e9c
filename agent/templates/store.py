"""The node's templates: a folder of archives with SHA256SUMS, as any other folder of templates.

A file is complete and verified when SHA256SUMS names it and it is there. What is being fetched
lies in a hidden folder beside, by its digest: it is gone on with only for the same content.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.core.files import write_atomically
from agent.templates import sums
from agent.templates.catalogue import TemplateError, spellings, suffix_of

FOLDER = Path("/var/lib/slipway/templates")
PARTIAL = ".partial"


@dataclass(frozen=True)
class Entry:
    """A template of the node. sha256: in hexadecimal; fetched: when it came."""

    name: str
    path: Path
    sha256: str
    size_bytes: int
    fetched: datetime


class Store:
    """The templates of a folder. More than one process may use it at once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    def entries(self) -> tuple[Entry, ...]:
        """All templates, by name. Raises TemplateError when SHA256SUMS is damaged."""
        return tuple(
            Entry(
                sums.name_of(path),
                self.folder / path,
                digest,
                status.st_size,
                datetime.fromtimestamp(status.st_mtime, UTC),
            )
            for path, digest in sorted(self._digests().items())
            if (status := _status(self.folder / path))
        )

    def find(self, name: str) -> Entry | None:
        """The template of that name; its architecture may be left out. Raises TemplateError."""
        known = {entry.name: entry for entry in self.entries()}
        return next((known[spelling] for spelling in spellings(name) if spelling in known), None)

    def get(self, name: str) -> Entry:
        """Like find. Raises TemplateError when the template is not there."""
        entry = self.find(name)
        if entry is None:
            raise TemplateError(
                f"the node has no template {name}", hint=f"run: slipway template fetch {name}"
            )
        return entry

    @contextmanager
    def partial(self, key: str) -> Iterator[Path]:
        """Where the content of this digest is put together; one process at a time has it."""
        folder = self.folder / PARTIAL
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f"{key}.lock"):
            yield folder / key

    def keep(self, name: str, suffix: str, file: Path) -> Entry:
        """Take the verified file, of the same file system, into the store under this name."""
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
        path = self.folder / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._change() as digests:
            # After a crash in between the name has no file yet, and so is not there.
            path.unlink(missing_ok=True)
            digests[f"{name}{suffix}"] = digest
        os.replace(file, path)
        return self.get(name)

    def remove(self, name: str) -> None:
        """Remove a template. Raises TemplateError when it is not there."""
        entry = self.get(name)
        with self._change() as digests:
            del digests[str(entry.path.relative_to(self.folder))]
        entry.path.unlink()

    def with_digest(self, sha256: str) -> Entry | None:
        """A template of this content, under whatever name."""
        return next((entry for entry in self.entries() if entry.sha256 == sha256), None)

    def also_call(self, entry: Entry, name: str) -> Entry:
        """Give a template one more name, without another copy."""
        link = self.folder / PARTIAL / f"{entry.sha256}.link"
        link.unlink(missing_ok=True)
        os.link(entry.path, link)
        return self.keep(name, suffix_of(entry.path.name), link)

    def _digests(self) -> dict[str, str]:
        file = self.folder / sums.FILE
        return sums.parse(file.read_text(), str(file)) if file.exists() else {}

    @contextmanager
    def _change(self) -> Iterator[dict[str, str]]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.folder / ".lock"):
            digests = self._digests()
            yield digests
            write_atomically(self.folder / sums.FILE, sums.text_of(digests))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
