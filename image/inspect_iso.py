"""`image inspect`: what an ISO holds, how it starts, and what it was prepared with."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import tomlkit

from agent.core.errors import SlipwayError
from image.finished_iso import FinishedIso, read_iso
from installer.answers.load import load_answer
from installer.answers.places import FILE_NAME, Web
from installer.answers.prepared import FIRST_BOOT, FOLDER, SOURCE, parse

MENU = "/boot/grub/grub.cfg"
ENTRY = re.compile(r'^menuentry "(.*)" \{$', re.MULTILINE)
ANSWER_FILE, SOURCE_FILE, PROGRAM = (
    f"/{FOLDER.name}/{name}" for name in (FILE_NAME, SOURCE.name, FIRST_BOOT.name)
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `inspect` to the command line."""
    parser = commands.add_parser("inspect", help="show what an ISO holds and was prepared with")
    parser.add_argument("iso", type=Path, metavar="ISO")
    parser.add_argument("--show-secrets", action="store_true", help="show passwords and tokens")
    parser.set_defaults(function=_run)


def _run(options: argparse.Namespace) -> int:
    print("\n".join(describe(read_iso(options.iso), options.show_secrets)))
    return 0


def describe(iso: FinishedIso, show_secrets: bool) -> Iterator[str]:
    """All that a person may want to know of an ISO, line by line."""
    yield f"{iso.path.name}: Slipway {iso.version}, {_size(iso.path.stat().st_size)}"
    yield f"starts from a CD in {_listed(iso.cd)}, from a USB stick in {_listed(iso.usb)}"
    yield ""
    yield "boot menu:"
    yield from (f"  {title}" for title in ENTRY.findall(iso.read(MENU).decode()))
    yield ""
    yield "files:"
    yield from (f"  {_size(size):>10}  {name}" for name, size in sizes(iso.files).items())
    yield ""
    yield from _preparation(iso, show_secrets)


def sizes(files: Mapping[str, int]) -> dict[str, int]:
    """Bytes by path; all that belongs to GRUB is one entry, empty files are none."""
    summed: dict[str, int] = {}
    for path, size in files.items():
        name = "/boot" if path.startswith("/boot/") else path
        if size:
            summed[name] = summed.get(name, 0) + size
    return summed


def _preparation(iso: FinishedIso, show_secrets: bool) -> Iterator[str]:
    if not iso.files.keys() & {ANSWER_FILE, SOURCE_FILE, PROGRAM}:
        yield "not prepared"
        return
    yield "prepared with:"
    if PROGRAM in iso.files:
        yield f"  a program for the first boot, {iso.files[PROGRAM]} bytes"
    for name, show in ((SOURCE_FILE, _source), (ANSWER_FILE, _answer)):
        if name in iso.files:
            try:
                yield from show(iso.read(name), name, show_secrets)
            except SlipwayError as error:
                yield f"  {error}"


def _source(content: bytes, name: str, show_secrets: bool) -> Iterator[str]:
    source = parse(content, name)
    if source.label:
        yield f"  answer volume: {source.label}"
    if source.url:
        yield f"  answer server: {source.url if show_secrets else Web(source.url)}"
    if source.fingerprint:
        yield f"  certificate:   {source.fingerprint}"
    if source.token:
        token = source.token.get_secret_value() if show_secrets else source.token
        yield f"  token:         {token}"


def _answer(content: bytes, name: str, show_secrets: bool) -> Iterator[str]:
    answer = load_answer(content, name).answer
    masked = answer.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    text = content.decode("utf-8-sig") if show_secrets else tomlkit.dumps(masked)
    yield f"  answer file{'' if show_secrets else ', with its secrets hidden'}:"
    yield ""
    yield from (f"    {line}".rstrip() for line in text.splitlines())


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size} bytes"


def _listed(firmware: frozenset[str]) -> str:
    return " and ".join(sorted(firmware)) or "no firmware"
