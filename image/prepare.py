"""`image prepare`: a new ISO with an answer file, or with where to get one, from a built ISO.

xorriso copies the ISO and lays the folder /slipway on it. What makes it start, in both firmwares
and from both kinds of media, is replayed: only addresses change.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from agent.core.command import run
from agent.core.errors import CommandFailed, SlipwayError
from agent.core.template import render
from image.finished_iso import XORRISO, FinishedIso, indev, read_iso
from installer.answers.load import load_answer
from installer.answers.places import FILE_NAME, Preparation, Request, SourceError, web_place
from installer.answers.positions import KeyPath
from installer.answers.prepared import FIRST_BOOT, FOLDER, SOURCE, check_program
from installer.answers.problems import key_text
from installer.answers.schema import Answer

ON_ISO = f"/{FOLDER.name}"
# No file system's label is longer than that of ISO 9660.
LABEL = re.compile(r"[ -~]{1,32}")
# xorriso's own words for what image/iso.py says as mkisofs: a copy without a change has the same
# bytes.
SAME = (
    *("-boot_image", "any", "replay", "-joliet", "on", "-padding", "included"),
    *("-compliance", "allow_dir_id_ext:joliet_long_names:no_emul_toc"),
)


@dataclass(frozen=True)
class Wanted:
    """What to prepare an ISO with. answer, first_boot: files of this machine."""

    answer: Path | None = None
    source: Preparation = Preparation()
    first_boot: Path | None = None


@dataclass(frozen=True)
class Prepared:
    """What goes to /slipway on the ISO, content by name, and what its maker should know."""

    files: dict[str, bytes]
    warnings: tuple[str, ...]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `prepare` to the command line."""
    parser = commands.add_parser("prepare", help="put an answer file, or its address, on an ISO")
    parser.add_argument("iso", type=Path, metavar="ISO", help="a built ISO; it stays as it is")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--answer", type=Path, metavar="FILE", help="the answer file itself")
    where.add_argument("--fetch", metavar="URL", help="the https address to ask for it")
    where.add_argument("--label", help="the label of the volume that it is on")
    parser.add_argument("--fingerprint", help="SHA-256 of the server's certificate")
    parser.add_argument("--token", help="what the server wants to see")
    parser.add_argument("--first-boot", type=Path, metavar="SCRIPT", help="run at the first boot")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: ISO-prepared.iso")
    parser.set_defaults(function=_run)


def _run(options: argparse.Namespace) -> int:
    output = options.output or options.iso.with_name(f"{options.iso.stem}-prepared.iso")
    wanted = Wanted(options.answer, source_settings(options), options.first_boot)
    for warning in prepare(options.iso, wanted, output):
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{output}: {output.stat().st_size / 1e6:.0f} MB")
    return 0


def prepare(source: Path, wanted: Wanted, output: Path) -> tuple[str, ...]:
    """Write the new ISO; gives what its maker should know. Raises SlipwayError.

    `output` appears when it is complete. It must not be there yet.
    """
    if output.exists():
        raise SlipwayError(
            "this file is there already, and is not overwritten",
            where=str(output),
            hint="Remove it, or give another name with --output.",
        )
    iso = read_iso(source)
    prepared = prepare_files(wanted)
    write_iso(iso, prepared.files, output)
    return prepared.warnings


def source_settings(options: argparse.Namespace) -> Preparation:
    """Where the installer shall look, as the command line says. Raises SlipwayError."""
    if options.fetch is not None:
        token = None if options.token is None else SecretStr(options.token)
        return fetch_settings(options.fetch, options.fingerprint or "", token)
    if options.fingerprint is not None or options.token is not None:
        raise SlipwayError("--fingerprint and --token belong to --fetch")
    if options.label is not None and not LABEL.fullmatch(options.label):
        raise SlipwayError("a label has 1 to 32 characters of ASCII", where="--label")
    return Preparation(label=options.label or "")


def fetch_settings(url: str, fingerprint: str, token: SecretStr | None) -> Preparation:
    """An answer server to ask. Raises SlipwayError when the installer would not trust it."""
    try:
        server = web_place(url, Request(), fingerprint, token)
    except SourceError as error:
        hint = "Give an address that starts with https://, and a secret with --token."
        raise SlipwayError(error.message, where="--fetch", hint=hint) from None
    return Preparation(url=url, fingerprint=server.fingerprint, token=server.token)


def prepare_files(wanted: Wanted) -> Prepared:
    """Read and check all that goes to the ISO. Raises SlipwayError."""
    files: dict[str, bytes] = {}
    warnings: list[str] = []
    if wanted.first_boot:
        files[FIRST_BOOT.name] = read_program(wanted.first_boot)
    if wanted.answer:
        files[FILE_NAME] = _read(wanted.answer)
        loaded = load_answer(files[FILE_NAME], str(wanted.answer))
        warnings += [*loaded.warnings, *check_answer(loaded.answer, wanted.first_boot is not None)]
    settings = wanted.source.model_dump(exclude_defaults=True)
    if wanted.source.token:
        settings["token"] = wanted.source.token.get_secret_value()
        warnings.append("whoever has the ISO can read the token on it")
    if settings:
        files[SOURCE.name] = render("prepared/slipway/source.toml", settings=settings).encode()
    return Prepared(files, tuple(warnings))


def read_program(path: Path) -> bytes:
    """The program for the first boot. Raises SlipwayError when it cannot be one."""
    content = _read(path)
    check_program(content, str(path))
    return content


def check_answer(answer: Answer, with_program: bool) -> Iterator[str]:
    """What the maker of an ISO with this answer should know. Raises SlipwayError."""
    runs = answer.first_boot is not None and answer.first_boot.source == "from-iso"
    if runs and not with_program:
        raise SlipwayError(
            "the answer file runs a program from the ISO, and there is none",
            where="first-boot.source",
            hint="Give the program with --first-boot.",
        )
    if with_program and not runs:
        yield 'the program is not run: the answer file has no [first-boot] with source "from-iso"'
    keys = ", ".join(secret_keys(answer.model_dump(by_alias=True)))
    yield f"whoever has the ISO can read the secrets of the answer file on it: {keys}"


def secret_keys(value: object, path: KeyPath = ()) -> Iterator[str]:
    """The keys of an answer's data whose values are secret."""
    if isinstance(value, SecretStr):
        yield key_text(path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from secret_keys(item, (*path, key))
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from secret_keys(item, (*path, number))


def copy_arguments(iso: FinishedIso, output: Path) -> list[str]:
    """xorriso's command line for a copy that starts as the ISO does; changes may follow."""
    return [*XORRISO, *indev(iso.path), "-outdev", f"stdio:{output.absolute()}", *SAME]


def folder_arguments(iso: FinishedIso, folder: Path) -> list[str]:
    """xorriso's arguments to lay the folder on the copy, in place of an earlier one."""
    earlier = any(name.startswith(f"{ON_ISO}/") for name in iso.files)
    return [
        *(["-rm_r", ON_ISO, "--"] if earlier else []),
        *("-map", str(folder.absolute()), ON_ISO),
        *("-chown_r", "0", ON_ISO, "--", "-chgrp_r", "0", ON_ISO, "--"),
        *("-alter_date_r", "b-c", f"={iso.epoch}", ON_ISO, "--"),
        "-commit",
    ]


def write_iso(iso: FinishedIso, files: dict[str, bytes], output: Path) -> None:
    """Copy the ISO with these files in /slipway; only its owner can read the copy."""
    try:
        with TemporaryDirectory(prefix=".slipway-", dir=output.parent) as scratch:
            folder, new = Path(scratch, "folder"), Path(scratch, "new.iso")
            folder.mkdir(mode=0o700)
            for name, content in files.items():
                path = folder / name
                path.write_bytes(content)
                path.chmod(0o700 if name == FIRST_BOOT.name else 0o600)
            epoch = {"SOURCE_DATE_EPOCH": str(iso.epoch)}
            run([*copy_arguments(iso, new), *folder_arguments(iso, folder)], env=epoch)
            made = read_iso(new)
            if (made.cd, made.usb) != (iso.cd, iso.usb):
                raise SlipwayError("this version of xorriso cannot copy what makes the ISO start")
            new.chmod(0o600)
            new.rename(output)
    except CommandFailed as error:
        raise SlipwayError("cannot be written", where=str(output), hint=error.output) from None
    except OSError as error:
        raise SlipwayError(f"cannot be written: {error.strerror}", where=str(output)) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SlipwayError(f"cannot be read: {error.strerror}", where=str(path)) from None
