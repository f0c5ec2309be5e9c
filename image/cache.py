"""Results of build steps, kept by the content of what went into them.

A step is named and has inputs, name to text; its id is the SHA-256 of both. The same inputs give
the same id, and then the step's folder is taken from the cache instead of being made again. The
inputs are kept beside the result, so that a rebuild can be explained.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from image.progress import Listener

# How many results of each step stay: the newest and the one before, for going back and forth.
KEPT = 2
SECONDS = "seconds"


@dataclass(frozen=True)
class Step:
    """One build step. inputs: all that it depends on; make: fills an empty folder, and has its
    tools' lines heard.
    """

    name: str
    inputs: dict[str, str]
    make: Callable[[Path, Listener], None]

    @property
    def id(self) -> str:
        """The content id, 16 hexadecimal digits."""
        return content_id({"step": self.name, **self.inputs})


@dataclass(frozen=True)
class Cache:
    """A folder of results, outside the checkout: ROOT/STEP/ID/."""

    root: Path

    def find(self, step: Step) -> Path | None:
        """The finished result of the step, or None."""
        folder = self.root / step.name / step.id
        return folder if folder.is_dir() else None

    def make(self, step: Step, hear: Listener) -> Path:
        """Make the result of the step anew; an interrupted one is never taken for finished."""
        folder = self.root / step.name / step.id
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        begin = time.monotonic()
        step.make(partial, hear)
        (partial / SECONDS).write_text(f"{time.monotonic() - begin:.1f}")
        (partial / "inputs.json").write_text(json.dumps(step.inputs, indent=2, sort_keys=True))
        partial.rename(folder)
        self._forget_old(step.name)
        return folder

    def why(self, step: Step) -> str:
        """In words: which inputs differ from the newest result there is."""
        results = self._newest_first(step.name)
        if not results:
            return "never built"
        before = json.loads((results[0] / "inputs.json").read_text())
        names = before.keys() | step.inputs.keys()
        changed = sorted(n for n in names if before.get(n) != step.inputs.get(n))
        return f"changed: {', '.join(changed)}"

    def _newest_first(self, name: str) -> list[Path]:
        results = [p.parent for p in (self.root / name).glob("*/inputs.json")]
        finished = [p for p in results if p.suffix != ".partial"]
        return sorted(finished, key=lambda p: p.stat().st_mtime, reverse=True)

    def _forget_old(self, name: str) -> None:
        for old in self._newest_first(name)[KEPT:]:
            shutil.rmtree(old)


def content_id(inputs: dict[str, str]) -> str:
    """A short id of named texts, the same in whatever order they come."""
    text = json.dumps(inputs, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_of(paths: Iterable[Path], base: Path) -> str:
    """One digest of files and folders: their names below base, modes and contents."""
    total = hashlib.sha256()
    for path in sorted(paths):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_symlink():
                total.update(f"{file.relative_to(base)}\0{file.readlink()}\0".encode())
            elif file.is_file() and "__pycache__" not in file.parts:
                executable = bool(file.stat().st_mode & 0o100)
                total.update(f"{file.relative_to(base)}\0{executable}\0".encode())
                total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
