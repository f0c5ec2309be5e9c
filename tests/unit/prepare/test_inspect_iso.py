"""What `image inspect` shows, and what it hides."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from agent import __version__
from agent.core.command import run
from image.__main__ import main
from image.finished_iso import FinishedIso
from image.inspect_iso import sizes
from image.prepare import Wanted, copy_arguments, prepare
from installer.answers.places import Preparation
from tests.unit.answers.files import MINIMAL_TOML

ANSWER = (
    "# made by hand: s3cret-comment\n"
    + MINIMAL_TOML
    + """
[[users]]
name = "ada"
password = "s3cret-user"

[[storage]]
name = "backup"
type = "smb"
server = "nas.example.com"
share = "backup"
username = "ada"
password = "s3cret-share"

[first-boot]
source = "from-iso"
"""
)


def inspected(capsys: pytest.CaptureFixture[str], iso: Path, *options: str) -> str:
    assert main(["inspect", str(iso), *options]) == 0
    return capsys.readouterr().out


@pytest.fixture
def prepared(built: FinishedIso, script: Path, tmp_path: Path) -> Path:
    answer = tmp_path / "answer.toml"
    answer.write_text(ANSWER)
    prepare(built.path, Wanted(answer, first_boot=script), tmp_path / "new.iso")
    return tmp_path / "new.iso"


def test_a_built_iso(built: FinishedIso, capsys: pytest.CaptureFixture[str]) -> None:
    lines = inspected(capsys, built.path).splitlines()
    size = f"{built.path.stat().st_size / 1e6:.1f} MB"
    assert lines[0] == f"small.iso: Slipway {__version__}, {size}"
    assert lines[1] == "starts from a CD in BIOS and UEFI, from a USB stick in BIOS and UEFI"
    menu = lines[lines.index("boot menu:") + 1 : lines.index("files:") - 1]
    assert menu[0] == f"  Slipway {built.version}: install"
    assert len(menu) == 4
    assert "      3.0 MB  /live/10-node.squashfs" in lines
    assert lines[-1] == "not prepared"


def test_secrets_are_hidden(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = inspected(capsys, prepared)
    assert "s3cret" not in shown and "correct horse" not in shown
    assert '    root-password = "**********"' in shown
    assert shown.count("**********") == 3
    assert '    fqdn = "node1.example.com"' in shown
    assert "  a program for the first boot, 21 bytes" in shown


def test_secrets_are_shown_when_asked(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = inspected(capsys, prepared, "--show-secrets")
    assert all(f"    {line}".rstrip() in shown.splitlines() for line in ANSWER.splitlines())


def test_settings(built: FinishedIso, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    iso = tmp_path / "new.iso"
    url = "https://answers.example.org/a?key=s3cret"
    source = Preparation(url=url, fingerprint="ab" * 32, token=SecretStr("node:s3cret"))
    prepare(built.path, Wanted(source=source), iso)
    shown = inspected(capsys, iso)
    assert "  answer server: https://answers.example.org/a?…" in shown.splitlines()
    assert f"  certificate:   {'ab' * 32}" in shown.splitlines()
    assert "  token:         **********" in shown.splitlines()
    assert "s3cret" not in shown
    shown = inspected(capsys, iso, "--show-secrets")
    assert f"  answer server: {url}" in shown.splitlines()
    assert "  token:         node:s3cret" in shown.splitlines()


def test_a_label(built: FinishedIso, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(built.path, Wanted(source=Preparation(label="RACK7")), tmp_path / "new.iso")
    assert "  answer volume: RACK7" in inspected(capsys, tmp_path / "new.iso").splitlines()


@pytest.mark.parametrize("name", ["answer.toml", "source.toml"])
def test_files_that_are_not_valid_are_told_and_not_shown(
    name: str, built: FinishedIso, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "odd.iso"
    (tmp_path / "file").write_text('token = "s3cret"\nnew-key = 1\n')
    run([*copy_arguments(built, odd), "-map", tmp_path / "file", f"/slipway/{name}", "-commit"])
    for options in ([], ["--show-secrets"]):
        shown = inspected(capsys, odd, *options)
        assert f"  /slipway/{name}: " in shown
        assert "s3cret" not in shown


def test_other_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("x" * 5000)
    assert main(["inspect", str(tmp_path / "x")]) == 1
    assert "this is not a Slipway ISO" in capsys.readouterr().err


def test_grub_is_one_entry_in_the_sizes() -> None:
    files = {"/boot/grub/a": 1, "/boot/b": 2, "/live/c": 3, "/.disk/d": 0, "/e": 4}
    assert sizes(files) == {"/boot": 3, "/live/c": 3, "/e": 4}
