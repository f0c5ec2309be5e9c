"""From a name to a verified file of the store: sources are asked in their order."""

from __future__ import annotations

import errno
import hashlib
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent.config import TemplateSource
from agent.templates.catalogue import Template, TemplateError, find, spellings
from agent.templates.room import NoRoom, make_room
from agent.templates.sources import catalogue
from agent.templates.store import Entry, Store
from agent.templates.web import Patience, Web

AT_ONCE = 3

# name, bytes done, bytes in all where that is known
Progress = Callable[[str, int, int | None], None]


class Fetcher:
    """Fetches templates. Several threads may use it at once."""

    def __init__(
        self,
        store: Store,
        sources: Sequence[TemplateSource],
        *,
        proxy: str = "",
        patience: Patience = Patience(),
        progress: Progress = lambda name, done, size: None,
    ) -> None:
        self.store = store
        self.sources = sources
        self.proxy = proxy
        self.patience = patience
        self.progress = progress
        self._catalogues: dict[str, tuple[Template, ...]] = {}
        self._reading = threading.Lock()

    def fetch_all(self, names: Iterable[str]) -> dict[str, Entry | TemplateError]:
        """Fetch templates, a few at once: what became of each, by name."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(pool.map(self._outcome, dict.fromkeys(names)))

    def fetch(self, name: str) -> Entry:
        """Fetch a template unless it is there. Raises TemplateError, which names every source."""
        if entry := self.store.find(name):
            return entry
        reasons = []
        for source in self.sources:
            try:
                return self._fetch_from(source, name)
            except NoRoom:
                raise
            except TemplateError as error:
                reasons.append(f"{source.name}: {' '.join(str(error).split())}")
        raise TemplateError(
            f"the template {name} cannot be fetched",
            hint="\n  ".join(reasons) or "there are no sources",
        )

    def available(self, source: TemplateSource) -> tuple[Template, ...]:
        """The source's catalogue, read once. Raises TemplateError."""
        with self._reading:
            if source.name not in self._catalogues:
                self._catalogues[source.name] = catalogue(source, self._web(source))
            return self._catalogues[source.name]

    def _outcome(self, name: str) -> tuple[str, Entry | TemplateError]:
        try:
            return name, self.fetch(name)
        except TemplateError as error:
            return name, error

    def _fetch_from(self, source: TemplateSource, name: str) -> Entry:
        template = self._find(source, name)
        try:
            return self._obtain(source, template, name)
        except NoRoom:
            raise
        except TemplateError:
            # The source may have a newer version by now, and the file of its old list no more.
            with self._reading:
                self._catalogues.pop(source.name, None)
            newer = self._find(source, name)
            if newer == template:
                raise
            return self._obtain(source, newer, name)

    def _find(self, source: TemplateSource, name: str) -> Template:
        template = find(self.available(source), name)
        if template is None:
            raise TemplateError("has no such template")
        return template

    def _obtain(self, source: TemplateSource, template: Template, wanted: str) -> Entry:
        name = _kept_name(template, wanted)
        with self.store.partial(template.digests[0][1]) as partial:
            # While the lock was waited for, another process may have fetched it.
            if entry := self.store.find(name) or self._same_content(template, name):
                return entry
            self._transfer(source, template, partial, name)
            verify(partial, template)
            return self.store.keep(name, template.suffix, partial)

    def _same_content(self, template: Template, name: str) -> Entry | None:
        entry = self.store.with_digest(dict(template.digests).get("sha256", ""))
        return self.store.also_call(entry, name) if entry else None

    def _transfer(
        self, source: TemplateSource, template: Template, partial: Path, name: str
    ) -> None:
        def progress(done: int, size: int | None) -> None:
            self.progress(name, done, size)

        try:
            if "://" in template.location:
                web = self._web(source)
                web.download(template.location, partial, template.size_bytes, progress)
            else:
                copy(Path(template.location), partial)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise TemplateError(
                    f"cannot be written: {error.strerror}", where=str(partial)
                ) from error
            partial.unlink(missing_ok=True)
            raise NoRoom("the disk is full", where=str(partial.parent)) from error

    def _web(self, source: TemplateSource) -> Web:
        if source.kind == "member":
            # One that is off is no reason to wait.
            return Web(patience=Patience(tries=1))
        return Web(source.ca, self.proxy, self.patience)


def verify(partial: Path, template: Template) -> None:
    """Compare every digest. Raises TemplateError, and then the file is gone."""
    for algorithm, wanted in template.digests:
        with partial.open("rb") as stream:
            digest = hashlib.file_digest(stream, algorithm).hexdigest()
        if digest != wanted.lower():
            partial.unlink()
            raise TemplateError(
                f"the file's {algorithm} is {digest}, the catalogue says {wanted}",
                where=template.location,
            )


def copy(source: Path, target: Path) -> None:
    """Copy a template of a directory. Raises TemplateError, NoRoom, OSError."""
    try:
        size = source.stat().st_size
    except OSError as error:
        raise TemplateError(f"cannot be read: {error.strerror}", where=str(source)) from error
    target.write_bytes(b"")
    make_room(target, 0, size)
    shutil.copyfile(source, target)


def _kept_name(template: Template, wanted: str) -> str:
    """The name that was asked for, as the catalogue has it: with its architecture."""
    return next(name for name in spellings(wanted) if name in template.names)
