"""A prepared ISO starts as the built one does: every structure, looked at in its bytes."""

from __future__ import annotations

import hashlib
import re
import struct
from pathlib import Path

import pytest

from agent.core.command import run
from image.finished_iso import FinishedIso, read_iso
from image.prepare import Wanted, copy_arguments, prepare
from tests.unit.answers.files import MINIMAL_TOML
from tests.unit.prepare.conftest import EPOCH

BLOCK, SECTOR = 2048, 512
LOADER = "/boot/grub/i386-pc/eltorito.img"
# Where GRUB's boot_hybrid.img holds the address of the next sector to load, 64 bits.
LOADER_ADDRESS = slice(0x1B0, 0x1B8)
# The same in its core image for CDs.
GRUB_ADDRESS = slice(2548, 2556)
# Lines of xorriso's reports with addresses, and sizes that follow from them.
MOVING = re.compile(
    r"El Torito (boot img|catalog) |ISO image size|MBR partition  |GPT (lba range|start and size)"
)
REPORTS = ("-report_el_torito", "plain", "-report_system_area", "plain")


@pytest.fixture(scope="module")
def prepared(built: FinishedIso, tmp_path_factory: pytest.TempPathFactory) -> FinishedIso:
    folder = tmp_path_factory.mktemp("prepared")
    script = folder / "script"
    # More than the padding of the ISO, so that everything after it moves.
    script.write_text("#!/bin/sh\n" + "# long\n" * 100_000)
    answer = folder / "answer.toml"
    answer.write_text(MINIMAL_TOML)
    prepare(built.path, Wanted(answer, first_boot=script), folder / "new.iso")
    return read_iso(folder / "new.iso")


def report(iso: FinishedIso, *what: str) -> str:
    return run(["xorriso", "-no_rc", "-indev", iso.path, *what]).stdout


def partitions(iso: FinishedIso) -> list[str]:
    return run(["sfdisk", "--dump", iso.path]).stdout.splitlines()


def esp(iso: FinishedIso) -> tuple[int, int]:
    """First byte and length of the EFI system partition."""
    line = next(line for line in partitions(iso) if "type=C12A7328" in line)
    found = re.search(r"start= *(\d+), size= *(\d+)", line)
    assert found
    return int(found[1]) * SECTOR, int(found[2]) * SECTOR


def loader_block(iso: FinishedIso) -> int:
    """Where El Torito says that GRUB for BIOS lies."""
    found = re.search(r"boot img : +1 +BIOS .* (\d+)$", report(iso, *REPORTS), re.MULTILINE)
    assert found
    return int(found[1])


def test_without_a_change_the_copy_has_the_same_bytes(built: FinishedIso, tmp_path: Path) -> None:
    copy = tmp_path / "copy.iso"
    nothing = ["-volid", f"SLIPWAY_{built.version.replace('.', '_')}", "-commit"]
    run([*copy_arguments(built, copy), *nothing], env={"SOURCE_DATE_EPOCH": str(EPOCH)})
    assert copy.read_bytes() == built.path.read_bytes()


def test_xorriso_reports_the_same_but_for_addresses(
    built: FinishedIso, prepared: FinishedIso
) -> None:
    def shape(iso: FinishedIso) -> list[str]:
        lines = report(iso, *REPORTS).replace(str(iso.path), "ISO").splitlines()
        return [re.sub(r"\d+", "N", line) if MOVING.match(line) else line for line in lines]

    assert shape(prepared) == shape(built)
    assert any("UEFI" in line for line in shape(built))
    assert report(prepared, *REPORTS) != report(built, *REPORTS)


def test_what_would_build_it_anew_is_the_same(built: FinishedIso, prepared: FinishedIso) -> None:
    def recipe(iso: FinishedIso) -> str:
        said = report(iso, "-report_el_torito", "as_mkisofs").replace(str(iso.path), "ISO")
        return re.sub(r"\d+d-\d+d|start_\d+s", "MOVED", said)

    assert recipe(prepared) == recipe(built)
    assert "--mbr-force-bootable" in recipe(built)


def test_the_partition_table_is_in_order(built: FinishedIso, prepared: FinishedIso) -> None:
    for iso in (built, prepared):
        assert "No errors detected" in run(["sfdisk", "--verify", iso.path]).stdout

    def unmoved(iso: FinishedIso) -> list[str]:
        lines = [line.replace(str(iso.path), "ISO") for line in partitions(iso)]
        return [re.sub(r"(start|size)= *\d+|last-lba: \d+", "", line) for line in lines]

    assert unmoved(prepared) == unmoved(built)


def test_the_esp_has_moved_and_holds_the_same(built: FinishedIso, prepared: FinishedIso) -> None:
    def content(iso: FinishedIso) -> str:
        start, length = esp(iso)
        return hashlib.sha256(iso.path.read_bytes()[start : start + length]).hexdigest()

    assert content(prepared) == content(built)
    assert esp(prepared)[0] > esp(built)[0]
    assert esp(prepared)[1] == esp(built)[1]


def test_a_cd_starts_the_same_esp_in_uefi(prepared: FinishedIso) -> None:
    found = re.search(r"boot img : +2 +UEFI .* (\d+)$", report(prepared, *REPORTS), re.MULTILINE)
    assert found
    assert int(found[1]) * BLOCK == esp(prepared)[0]


def test_a_stick_starts_grub_in_bios(built: FinishedIso, prepared: FinishedIso) -> None:
    before, after = (iso.path.read_bytes()[:SECTOR] for iso in (built, prepared))
    assert after[: LOADER_ADDRESS.start] == before[: LOADER_ADDRESS.start]
    (address,) = struct.unpack("<Q", after[LOADER_ADDRESS])
    # cdboot.img is one block; the core image that boot_hybrid.img loads follows it.
    assert address * SECTOR == (loader_block(prepared) + 1) * BLOCK
    assert struct.unpack("<Q", before[LOADER_ADDRESS]) != (address,)
    # One active entry, without which some BIOS does not try a stick; and the protective one.
    assert [after[0x1BE + 16 * n] for n in range(4)] == [0, 0x80, 0, 0]


def test_grub_for_bios_knows_where_it_lies(prepared: FinishedIso) -> None:
    """The boot information table, which the loader reads on a CD."""
    block = loader_block(prepared)
    loader = prepared.path.read_bytes()[block * BLOCK :][: prepared.files[LOADER]]
    assert struct.unpack("<III", loader[8:20]) == (16, block, prepared.files[LOADER])
    # GRUB's own: the sector after its first 2048 bytes and a half.
    assert struct.unpack("<Q", loader[GRUB_ADDRESS]) == (block * BLOCK // SECTOR + 5,)


def test_linux_finds_the_files_from_the_partition_too(
    prepared: FinishedIso, tmp_path: Path
) -> None:
    """A stick's first partition has a tree of its own, with addresses from its own start."""
    first = next(line for line in partitions(prepared) if "ISO9660" in line)
    start = re.search(r"start= *(\d+)", first)
    assert start
    alone = tmp_path / "partition.iso"
    alone.write_bytes(prepared.path.read_bytes()[int(start[1]) * SECTOR :])
    partition = read_iso(alone)
    assert partition.files.keys() - prepared.files.keys() <= {"/boot.catalog"}
    assert prepared.files.items() <= partition.files.items()
    assert partition.read("/slipway/answer.toml") == prepared.read("/slipway/answer.toml")


def test_every_other_file_is_the_same(built: FinishedIso, prepared: FinishedIso) -> None:
    added = {"/slipway/answer.toml", "/slipway/first-boot"}
    assert prepared.files.keys() - built.files.keys() == added
    for name in built.files.keys() - {LOADER}:
        assert prepared.files[name] == built.files[name]
    for name in ("/live/10-node.squashfs", "/live/vmlinuz", "/boot/grub/grub.cfg"):
        assert prepared.read(name) == built.read(name)


def test_windows_sees_the_files_as_well(prepared: FinishedIso) -> None:
    """Joliet's names are UTF-16."""
    content = prepared.path.read_bytes()
    for name in ("10-node.squashfs", "answer.toml"):
        assert name.encode("utf-16-be") in content
