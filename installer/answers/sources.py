"""Looking for the answer file: each place in turn, every step reported."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.core.command import run
from agent.core.errors import CommandFailed, ToolMissing
from installer.answers import prepared
from installer.answers.discovery import Hint, look_up_records, parse_dhcp_options
from installer.answers.fetch import fetch
from installer.answers.identity import identity
from installer.answers.load import Loaded, load_answer
from installer.answers.parse import MAXIMUM_BYTES
from installer.answers.places import (
    FILE_NAME,
    Dhcp,
    LocalFile,
    Place,
    Request,
    SourceError,
    Volume,
    Web,
    parse_command_line,
    places,
    web_place,
)
from installer.answers.positions import Format
from installer.inventory.probe import probe
from installer.web import Patience

# How long the first DHCP lease may take, in seconds.
NETWORK_SECONDS = 30
LONGEST_TIMEOUT = 86400.0


def identify() -> Mapping[str, object]:
    """Who this machine is."""
    return identity(probe())


def ask_dhcp() -> Hint | None:
    """The DHCP options of the leases that NetworkManager holds, once it has started up."""
    try:
        run(
            ["nm-online", "--quiet", "--wait-for-startup", f"--timeout={NETWORK_SECONDS}"],
            check=False,
        )
        shown = run(["nmcli", "--terse", "--fields", "DHCP4", "device", "show"], check=False)
    except ToolMissing:
        return None
    return parse_dhcp_options(shown.stdout) if shown.status == 0 else None


@dataclass(frozen=True)
class Surroundings:
    """What is around the search; the defaults are those of the live system."""

    command_line: Path = Path("/proc/cmdline")
    preparation: Path = prepared.SOURCE
    labels: Path = Path("/dev/disk/by-label")
    identity: Callable[[], Mapping[str, object]] = identify
    dhcp: Callable[[], Hint | None] = ask_dhcp
    dns: Callable[[], Hint | None] = look_up_records
    patience: Patience = Patience()


@dataclass(frozen=True)
class _Content:
    """An answer file's bytes; name says in messages where they are from."""

    name: str
    content: bytes
    format: Format = "toml"


def find_answer(
    report: Callable[[str], None], surroundings: Surroundings = Surroundings()
) -> Loaded | None:
    """Look for an answer file and check it; None when there is none, and all places are reported.

    Raises SourceError when a place names an answer file and does not deliver it, AnswerError when
    the first one found is not valid. Then no other place is looked at.
    """
    search = _Search(
        parse_command_line(surroundings.command_line.read_text(errors="replace")),
        report,
        surroundings,
    )
    for place in places(search.request, prepared.load(surroundings.preparation)):
        found = search.look(place)
        if found is not None:
            _check_digest(found, search.request.sha256)
            report(f"answer file: {found.name}")
            return load_answer(found.content, found.name, found.format)
    return None


@dataclass(frozen=True)
class _Search:
    request: Request
    report: Callable[[str], None]
    surroundings: Surroundings

    def look(self, place: Place) -> _Content | None:
        """The answer file at this place, if there is one."""
        if isinstance(place, Web):
            return self._fetch(place)
        if isinstance(place, LocalFile):
            return self._read_file(place)
        if isinstance(place, Volume):
            return self._read_volume(place)
        asked = self.surroundings.dhcp if isinstance(place, Dhcp) else self.surroundings.dns
        hint = asked()
        if hint is None:
            self.report(f"no answer file: {place} not found")
            return None
        self.report(f"{place} names an answer server")
        return self._fetch(web_place(hint.url, self.request, hint.fingerprint))

    def _fetch(self, place: Web) -> _Content:
        patience = self.surroundings.patience
        if self.request.timeout:
            patience = replace(patience, total=_seconds(self.request.timeout))
        self.report(f"asking {place}")
        return _Content(
            str(place), *fetch(place, self.surroundings.identity(), self.report, patience)
        )

    def _read_file(self, place: LocalFile) -> _Content | None:
        if not place.required and not place.path.exists():
            self.report(f"no answer file: {place} not found")
            return None
        return _Content(str(place), _read(place.path, str(place)))

    def _read_volume(self, place: Volume) -> _Content | None:
        run(["udevadm", "settle", "--timeout=30"], check=False)
        device = find_label(self.surroundings.labels, place.label)
        if device is None:
            self.report(f"no answer file: {place} not found")
            return None
        with TemporaryDirectory(prefix="slipway-answer-") as folder:
            try:
                run(["mount", "--read-only", "--options", "nodev,nosuid,noexec", device, folder])
            except CommandFailed as error:
                raise SourceError(
                    "cannot be mounted", where=f"{place} ({device})", hint=error.output
                ) from None
            try:
                return self._read_root(place, device, Path(folder))
            finally:
                run(["umount", folder])

    def _read_root(self, place: Volume, device: Path, folder: Path) -> _Content | None:
        # ISO 9660 without extensions has upper case only.
        names = [path for path in sorted(folder.iterdir()) if path.name.lower() == FILE_NAME]
        if not names:
            self.report(f"no answer file: {place} ({device}) has no {FILE_NAME}")
            return None
        name = f"{place.label}:{FILE_NAME}"
        return _Content(name, _read(names[0], name))


def find_label(labels: Path, label: str) -> Path | None:
    """The device with this label, or with it in upper or lower case. labels: udev's folder."""
    for spelling in dict.fromkeys((label, label.upper(), label.lower())):
        escaped = "".join(x if re.fullmatch(r"[\w#+.:=@-]", x) else _escape(x) for x in spelling)
        if (labels / escaped).exists():
            return labels / escaped
    return None


def _escape(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


def _read(path: Path, name: str) -> bytes:
    """At most one byte more than an answer file may have. Raises SourceError."""
    try:
        with path.open("rb") as stream:
            return stream.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", where=name) from None


def _check_digest(found: _Content, sha256: str) -> None:
    digest = hashlib.sha256(found.content).hexdigest()
    if sha256 and digest != sha256:
        raise SourceError(
            f"the answer file has the SHA-256 {digest}, expected {sha256}", where=found.name
        )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise SourceError(
            f"expected seconds from 1 to {LONGEST_TIMEOUT:.0f}", where="slipway.answer-timeout"
        )
    return seconds
