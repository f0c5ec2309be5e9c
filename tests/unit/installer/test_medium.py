"""The medium's check: every byte counts, and the words say what to do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from agent.core.errors import SlipwayError
from installer.medium import FILE_NAMES, Medium, load


@pytest.fixture
def medium(tmp_path: Path) -> Medium:
    files = {}
    for name, on_medium in FILE_NAMES.items():
        content = name.encode() * 1000
        (tmp_path / on_medium).parent.mkdir(exist_ok=True)
        (tmp_path / on_medium).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        files[name] = {"size_bytes": len(content), "sha256": digest}
    description = {
        "version": "1",
        "kernel_version": "6",
        "files": files,
        "folder": str(tmp_path),
    }
    (tmp_path / "medium.json").write_text(json.dumps(description))
    return load(tmp_path / "medium.json")


def test_a_good_medium_passes_and_tells_its_progress(medium: Medium) -> None:
    seen: list[tuple[int, int]] = []
    medium.verify(lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == sum(f.size_bytes for f in medium.files.values())


@pytest.mark.parametrize("name", FILE_NAMES)
def test_one_flipped_bit_is_found(medium: Medium, name: str) -> None:
    content = bytearray(medium.path(name).read_bytes())
    content[len(content) // 2] ^= 1
    medium.path(name).write_bytes(content)
    with pytest.raises(SlipwayError, match="damaged") as caught:
        medium.verify(lambda done, total: None)
    assert caught.value.where == str(medium.path(name))


def test_without_a_description_this_is_no_medium(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="not a Slipway installation medium"):
        load(tmp_path / "missing.json")
