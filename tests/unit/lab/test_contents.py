"""A disk's fingerprint notices everything that could have been written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.contents import CHUNK, fill, fingerprint

SIZE = 64 * CHUNK


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.raw"
    fill(path, SIZE)
    return path


def test_the_image_is_sparse_and_always_the_same(image: Path, tmp_path: Path) -> None:
    assert image.stat().st_size == SIZE
    assert image.stat().st_blocks * 512 < 4 * CHUNK
    fill(tmp_path / "other.raw", SIZE)
    assert fingerprint(tmp_path / "other.raw") == fingerprint(image)


@pytest.mark.parametrize("offset", [0, SIZE // 2, SIZE - 1], ids=["start", "middle", "end"])
def test_a_changed_byte(image: Path, offset: int) -> None:
    before = fingerprint(image)
    with image.open("r+b") as file:
        file.seek(offset)
        old = file.read(1)
        file.seek(offset)
        file.write(bytes([old[0] ^ 1]))
    assert fingerprint(image) != before


def test_zeros_in_a_hole(image: Path) -> None:
    before = fingerprint(image)
    with image.open("r+b") as file:
        file.seek(SIZE // 4)
        file.write(bytes(4096))
    assert fingerprint(image) != before
