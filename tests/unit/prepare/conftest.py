"""A small ISO, made as the builder makes it: only kernel and images are stand-ins."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from image.finished_iso import FinishedIso, read_iso
from image.iso import Contents, make_iso
from tests.unit.answers.files import MINIMAL_TOML

EPOCH = 1767225600
SIZES = {
    "live/vmlinuz": 100_000,
    "live/initrd.img": 300_000,
    "live/10-node.squashfs": 3_000_000,
    "live/20-installer.squashfs": 50_000,
    # Packages have names that are longer than Joliet's usual 64 characters.
    f"pool/{'long-name-' * 8}.deb": 1000,
}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> FinishedIso:
    folder = tmp_path_factory.mktemp("built")
    noise = random.Random(1)
    files = {name: folder / name.replace("/", "-") for name in SIZES}
    for name, path in files.items():
        path.write_bytes(noise.randbytes(SIZES[name]))
    iso = folder / "small.iso"
    make_iso(Contents(files, EPOCH), iso, lambda line: None)
    return read_iso(iso)


@pytest.fixture
def answer(tmp_path: Path) -> Path:
    path = tmp_path / "answer.toml"
    path.write_text(MINIMAL_TOML)
    return path


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script"
    path.write_text("#!/bin/sh\necho hello\n")
    return path
