"""Writing into the target: content, modes, owners, and no way out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.core.errors import SlipwayError
from installer.execute.files import write_files
from installer.plan.model import PlannedFile


def mode(path: Path) -> str:
    return oct(path.lstat().st_mode & 0o7777)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nann:x:1001:1002::/home/ann:\n")
    return folder


@pytest.mark.parametrize("text", ["", "a & b 'c' \"d\"\n$(x) `y` \\n \t\r\nümlaut ☃", "no newline"])
def test_content_is_written_as_it_is(target: Path, text: str) -> None:
    write_files([PlannedFile(path="/etc/new/file", content=text)], target)
    assert (target / "etc/new/file").read_bytes() == text.encode()


def test_modes_do_not_depend_on_the_umask(target: Path) -> None:
    old = os.umask(0o077)
    try:
        write_files(
            [
                PlannedFile(path="/etc/a/b/public"),
                PlannedFile(path="/root/.ssh/private", mode="0600"),
                PlannedFile(path="/etc/script", mode="0755"),
            ],
            target,
        )
    finally:
        os.umask(old)
    modes = {path: mode(target / path) for path in ("etc/a", "etc/a/b", "etc/a/b/public")}
    assert modes == {"etc/a": "0o755", "etc/a/b": "0o755", "etc/a/b/public": "0o644"}
    assert mode(target / "root/.ssh") == "0o700"
    assert mode(target / "root/.ssh/private") == "0o600"
    assert mode(target / "etc/script") == "0o755"


def test_existing_folders_keep_their_modes(target: Path) -> None:
    (target / "etc").chmod(0o711)
    write_files([PlannedFile(path="/etc/x", mode="0600")], target)
    assert mode(target / "etc") == "0o711"


def test_files_and_links_are_replaced_not_followed(target: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    (target / "etc/file").symlink_to(outside)
    (target / "etc/link").write_text("old")
    write_files(
        [
            PlannedFile(path="/etc/file", content="new"),
            PlannedFile(path="/etc/link", link_target="/usr/share/zoneinfo/UTC"),
        ],
        target,
    )
    assert outside.read_text() == "untouched"
    assert (target / "etc/file").read_text() == "new"
    assert os.readlink(target / "etc/link") == "/usr/share/zoneinfo/UTC"
    write_files([PlannedFile(path="/etc/link", link_target="/elsewhere")], target)
    assert os.readlink(target / "etc/link") == "/elsewhere"
    assert sorted(path.name for path in (target / "etc").iterdir()) == ["file", "link", "passwd"]


@pytest.mark.parametrize("path", ["/../outside", "/etc/../../outside", "/", "", "/etc/.."])
def test_paths_that_leave_the_target(target: Path, path: str) -> None:
    with pytest.raises(SlipwayError, match="outside of the target"):
        write_files([PlannedFile(path=path, content="x")], target)
    assert not (target.parent / "outside").exists()


def test_links_that_leave_the_target(target: Path, tmp_path: Path) -> None:
    (target / "etc/away").symlink_to(tmp_path)
    (target / "etc/inside").symlink_to("a")
    (target / "etc/a").mkdir()
    with pytest.raises(SlipwayError, match="outside of the target"):
        write_files([PlannedFile(path="/etc/away/file", content="x")], target)
    assert not (tmp_path / "file").exists()
    write_files([PlannedFile(path="/etc/inside/file", content="x")], target)
    assert (target / "etc/a/file").read_text() == "x"


def test_what_cannot_be_written_is_named(target: Path) -> None:
    (target / "etc/file").write_text("")
    with pytest.raises(SlipwayError, match="/etc/file/below: the file cannot be written"):
        write_files([PlannedFile(path="/etc/file/below")], target)


def test_owner_is_looked_up_in_the_target(target: Path) -> None:
    key = PlannedFile(path="/home/ann/.ssh/authorized_keys", mode="0600", owner="ann")
    (target / "home/ann").mkdir(parents=True)
    write_files([key], target)
    for path in ("home/ann/.ssh", "home/ann/.ssh/authorized_keys"):
        found = (target / path).stat()
        assert (found.st_uid, found.st_gid) == (1001, 1002)
    assert (target / "home/ann").stat().st_uid == 0
    with pytest.raises(SlipwayError, match="no account bob"):
        write_files([key.model_copy(update={"owner": "bob"})], target)
