"""Preparing an ISO: what lands on it, what is refused, and that nothing is left behind."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.core.command import run
from agent.core.errors import SlipwayError
from image.__main__ import main
from image.finished_iso import FinishedIso, read_iso
from image.prepare import SAME, Wanted, prepare
from installer.answers import prepared
from installer.answers.places import Preparation
from tests.unit.answers.files import MINIMAL_TOML

FINGERPRINT = ":".join(["AB"] * 32)
FROM_ISO = f'{MINIMAL_TOML}\n[first-boot]\nsource = "from-iso"\n'
PASSWORD = "correct horse"


def mode(iso: FinishedIso, name: str) -> str:
    """The file's permissions and owner, as ls shows them."""
    listed = run(["xorriso", "-no_rc", "-indev", iso.path, "-lsdl", name]).stdout.splitlines()[-1]
    return " ".join(listed.split()[:4])


def test_the_answer_file_is_on_the_iso(built: FinishedIso, answer: Path, tmp_path: Path) -> None:
    warnings = prepare(built.path, Wanted(answer), tmp_path / "new.iso")
    iso = read_iso(tmp_path / "new.iso")
    assert iso.read("/slipway/answer.toml") == answer.read_bytes()
    assert iso.files.keys() - built.files.keys() == {"/slipway/answer.toml"}
    assert warnings == (
        "whoever has the ISO can read the secrets of the answer file on it: global.root-password",
    )


def test_only_its_owner_can_read_it(built: FinishedIso, script: Path, tmp_path: Path) -> None:
    answer = tmp_path / "answer.toml"
    answer.write_text(FROM_ISO)
    prepare(built.path, Wanted(answer, first_boot=script), tmp_path / "new.iso")
    iso = read_iso(tmp_path / "new.iso")
    assert iso.path.stat().st_mode & 0o777 == 0o600
    assert mode(iso, "/slipway") == "drwx------ 1 0 0"
    assert mode(iso, "/slipway/answer.toml") == "-rw------- 1 0 0"
    assert mode(iso, "/slipway/first-boot") == "-rwx------ 1 0 0"


def test_the_installer_reads_the_settings(built: FinishedIso, tmp_path: Path) -> None:
    iso = tmp_path / "new.iso"
    url = "https://answers.example.org/a?rack=7&node='1\"'"
    arguments = ["prepare", str(built.path), "--fetch", url, "--output", str(iso)]
    assert main([*arguments, "--fingerprint", FINGERPRINT, "--token", "node:secret"]) == 0
    content = read_iso(iso).read("/slipway/source.toml")
    assert prepared.parse(content, "source.toml") == Preparation(
        url=url, fingerprint="ab" * 32, token=SecretStr("node:secret")
    )


def test_a_label(built: FinishedIso, tmp_path: Path) -> None:
    iso = tmp_path / "new.iso"
    assert main(["prepare", str(built.path), "--label", "RACK 7", "--output", str(iso)]) == 0
    content = read_iso(iso).read("/slipway/source.toml")
    assert prepared.parse(content, "source.toml") == Preparation(label="RACK 7")


def test_a_second_preparation_leaves_nothing_of_the_first(
    built: FinishedIso, answer: Path, script: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.iso", tmp_path / "second.iso"
    prepare(built.path, Wanted(answer, first_boot=script), first)
    assert PASSWORD.encode() in first.read_bytes()
    prepare(first, Wanted(source=Preparation(label="RACK7")), second)
    assert PASSWORD.encode() not in second.read_bytes()
    assert read_iso(second).files.keys() - built.files.keys() == {"/slipway/source.toml"}


def test_the_same_preparation_gives_the_same_bytes(
    built: FinishedIso, answer: Path, tmp_path: Path
) -> None:
    for name in ("a.iso", "b.iso"):
        answer.touch()
        prepare(built.path, Wanted(answer), tmp_path / name)
    assert (tmp_path / "a.iso").read_bytes() == (tmp_path / "b.iso").read_bytes()


def test_the_default_name_is_beside_the_iso(
    built: FinishedIso, answer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    iso = tmp_path / "it's: a, b.iso"
    iso.symlink_to(built.path)
    assert main(["prepare", str(iso), "--answer", str(answer)]) == 0
    output = tmp_path / "it's: a, b-prepared.iso"
    assert read_iso(output).read("/slipway/answer.toml") == answer.read_bytes()
    told = capsys.readouterr()
    assert told.out.startswith(f"{output}: ")
    assert "warning: whoever has the ISO" in told.err
    assert PASSWORD not in told.out + told.err
    assert {path.name for path in tmp_path.iterdir()} == {iso.name, output.name, answer.name}


def test_names_like_options_are_names(
    built: FinishedIso, answer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-dev").symlink_to(built.path)
    prepare(Path("-dev"), Wanted(answer), Path("-commit"))
    assert "/slipway/answer.toml" in read_iso(Path("-commit")).files


def refused(source: Path, wanted: Wanted, output: Path) -> str:
    """The error; nothing appears beside the output."""
    before = set(output.parent.iterdir())
    with pytest.raises(SlipwayError) as caught:
        prepare(source, wanted, output)
    assert set(output.parent.iterdir()) == before
    return str(caught.value)


def test_an_existing_file_is_not_overwritten(
    built: FinishedIso, answer: Path, tmp_path: Path
) -> None:
    output = tmp_path / "new.iso"
    output.write_text("mine")
    assert "is there already" in refused(built.path, Wanted(answer), output)
    assert output.read_text() == "mine"
    assert "is there already" in refused(built.path, Wanted(answer), built.path)


def test_an_answer_with_errors_is_refused_with_all_of_them(
    built: FinishedIso, tmp_path: Path
) -> None:
    answer = tmp_path / "answer.toml"
    answer.write_text(MINIMAL_TOML.replace('"at"', '"xx"').replace("filesystem", "filesystm"))
    said = refused(built.path, Wanted(answer), tmp_path / "new.iso")
    assert "answer.toml:2:1: global.country" in said
    assert "disk-setup.filesystm: is not a known key" in said
    assert PASSWORD not in said


def other_iso(path: Path) -> None:
    content = path.with_name("content")
    content.mkdir()
    (content / "file").write_text("x")
    run(["xorriso", "-no_rc", "-as", "mkisofs", "-o", path, "-V", "SLIPWAY_9", content])


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 1000)


def nothing(path: Path) -> None:
    path.touch()


@pytest.mark.parametrize("make", [other_iso, noise, nothing])
def test_what_is_not_a_slipway_iso_is_refused(
    make: Callable[[Path], None], answer: Path, tmp_path: Path
) -> None:
    make(tmp_path / "x.iso")
    said = refused(tmp_path / "x.iso", Wanted(answer), tmp_path / "new.iso")
    assert said.startswith(f"{tmp_path / 'x.iso'}: this is not a Slipway ISO")


def test_what_is_not_a_file_is_refused(answer: Path, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.iso"):
        assert "no such file" in refused(path, Wanted(answer), tmp_path / "new.iso")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_half_an_iso_is_refused(
    share: float, built: FinishedIso, answer: Path, tmp_path: Path
) -> None:
    content = built.path.read_bytes()
    half = tmp_path / "half.iso"
    half.write_bytes(content[: int(len(content) * share)])
    assert "not a whole one" in refused(half, Wanted(answer), tmp_path / "new.iso")


def test_a_full_disk_is_an_error(built: FinishedIso, answer: Path, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 22, limits[1]))
    try:
        said = refused(built.path, Wanted(answer), tmp_path / "new.iso")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert said.startswith(f"{tmp_path / 'new.iso'}: cannot be written")


def test_a_copy_that_does_not_start_is_refused(
    built: FinishedIso, answer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = ("-boot_image", "any", "discard")
    monkeypatch.setattr("image.prepare.SAME", (*SAME, *lost))
    assert "what makes the ISO start" in refused(built.path, Wanted(answer), tmp_path / "new.iso")


def test_a_folder_that_is_not_there_is_an_error(
    built: FinishedIso, answer: Path, tmp_path: Path
) -> None:
    with pytest.raises(SlipwayError, match="cannot be written: No such file"):
        prepare(built.path, Wanted(answer), tmp_path / "missing" / "new.iso")


def test_an_answer_that_wants_a_program_needs_one(
    built: FinishedIso, script: Path, tmp_path: Path
) -> None:
    answer = tmp_path / "answer.toml"
    answer.write_text(FROM_ISO)
    assert "--first-boot" in refused(built.path, Wanted(answer), tmp_path / "new.iso")
    warnings = prepare(built.path, Wanted(answer, first_boot=script), tmp_path / "new.iso")
    assert not [warning for warning in warnings if "not run" in warning]
    assert read_iso(tmp_path / "new.iso").read("/slipway/first-boot") == script.read_bytes()


def test_a_program_that_no_answer_wants_is_warned_about(
    built: FinishedIso, answer: Path, script: Path, tmp_path: Path
) -> None:
    warnings = prepare(built.path, Wanted(answer, first_boot=script), tmp_path / "new.iso")
    assert any("the program is not run" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a program"),
        (b"echo hello\n", "is not a program"),
        (b"MZ\x90", "is not a program"),
        (b"#!/bin/sh\n".ljust((1 << 20) + 1, b"#"), "at most 1 MiB"),
    ],
)
def test_what_is_not_a_program_is_refused(
    content: bytes, message: str, built: FinishedIso, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_bytes(content)
    wanted = Wanted(source=Preparation(label="X"), first_boot=program)
    assert message in refused(built.path, wanted, tmp_path / "new.iso")


@pytest.mark.parametrize("content", [b"\x7fELF\x02", b"#!/bin/sh\n".ljust(1 << 20, b"#")])
def test_programs(content: bytes, built: FinishedIso, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(content)
    prepare(
        built.path,
        Wanted(source=Preparation(label="X"), first_boot=program),
        tmp_path / "new.iso",
    )
    assert read_iso(tmp_path / "new.iso").read("/slipway/first-boot") == content


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fetch", "http://a.example.org"], "--fetch: an answer file over plain HTTP"),
        (["--fetch", "ftp://a.example.org"], "--fetch: the address"),
        (["--fetch", ""], "--fetch: the address"),
        (["--fetch", "file:///answer.toml"], "--fetch: the address"),
        (["--fetch", "https://me:pw@a.example.org"], "--fetch: the address"),
        (["--fetch", "https://a", "--fingerprint", "abc"], "64 hexadecimal digits"),
        (["--fetch", "https://a", "--token", "a b"], "characters that no token has"),
        (["--label", "X", "--token", "geheim"], "belong to --fetch"),
        (["--label", "X", "--fingerprint", FINGERPRINT], "belong to --fetch"),
        (["--label", ""], "1 to 32 characters"),
        (["--label", "x" * 33], "1 to 32 characters"),
        (["--label", "a\nb"], "1 to 32 characters"),
        (["--answer", "/nonexistent"], "/nonexistent: cannot be read: No such file"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    arguments: list[str],
    message: str,
    built: FinishedIso,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "new.iso"
    assert main(["prepare", str(built.path), *arguments, "--output", str(output)]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "geheim" not in said and "pw" not in said
    assert not output.exists()


@pytest.mark.parametrize("arguments", [[], ["--label", "X", "--fetch", "https://a"]])
def test_one_way_to_the_answer_is_needed(arguments: list[str], built: FinishedIso) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["prepare", str(built.path), *arguments])
    assert caught.value.code == 2
