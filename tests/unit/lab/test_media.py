"""The answer volume and the damaged ISO, made and read with the real tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.command import run
from agent.core.errors import SlipwayError
from tests.lab import iso
from tests.lab.volume import make_volume


def test_the_answer_volume(tmp_path: Path) -> None:
    image = make_volume(tmp_path / "new" / "answer.img", {"answer.toml": "ä = 1\n", "x": b"\0"})
    assert run(["mtype", "-i", image, "::answer.toml"]).stdout == "ä = 1\n"
    tags = run(["blkid", "-p", "-o", "export", image]).stdout.splitlines()
    assert {"LABEL=SLIPWAY", "TYPE=vfat"} <= set(tags)


def test_an_older_volume_is_replaced(tmp_path: Path) -> None:
    image = make_volume(tmp_path / "answer.img", {"old": "old"})
    make_volume(image, {"answer.toml": "new"})
    assert run(["mdir", "-b", "-i", image, "::"]).stdout.split() == ["::/answer.toml"]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An ISO with two files of 100000 and 10 bytes."""
    tree = tmp_path / "tree"
    (tree / "live").mkdir(parents=True)
    (tree / "live" / "big").write_bytes(bytes(100000))
    (tree / "live" / "small").write_bytes(b"0123456789")
    made = tmp_path / "some.iso"
    run(["xorriso", "-as", "mkisofs", "-rational-rock", "-quiet", "-o", made, tree])
    return made


def test_one_byte_of_one_file_is_flipped(image: Path, tmp_path: Path) -> None:
    bad = iso.with_flipped_byte(image, "/live/small", 0.75, tmp_path / "bad" / "bad.iso")
    assert iso.extract(bad, "/live/small", tmp_path / "small").read_bytes() == b"0123456\xc889"
    assert iso.extract(bad, "/live/big", tmp_path / "big").read_bytes() == bytes(100000)
    before, after = image.read_bytes(), bad.read_bytes()
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_a_file_that_is_not_there(image: Path, tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="/live/none"):
        iso.extent(image, "/live/none")


def test_there_may_be_no_iso(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(iso, "OUT", tmp_path)
    with pytest.raises(SlipwayError, match="there is no ISO"):
        iso.newest()
    (tmp_path / "slipway-1.2.3-amd64.iso").touch()
    assert iso.newest().name == "slipway-1.2.3-amd64.iso"
