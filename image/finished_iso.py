"""A finished ISO, seen from outside: whether it is one of ours, its files, what it starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.core.command import run
from agent.core.errors import CommandFailed, SlipwayError
from installer.medium import FILE_NAMES, NODE_IMAGE

# Without settings of the user's, and silent unless something fails.
XORRISO = ("xorriso", "-no_rc", "-report_about", "SORRY")
MARKER = "/.disk/slipway-"
# The type of an EFI system partition, as the bytes that lie on the disk.
ESP_TYPE = "28732ac11ff8d211ba4b00a0c93ec93b"
REPORTS = ("-pvd_info", "-report_el_torito", "plain", "-report_system_area", "plain")
VOLUME = re.compile(r"^Volume Id +: SLIPWAY_(\S+)$", re.MULTILINE)
MADE = re.compile(r"^Modif\. Time +: (\d{14})", re.MULTILINE)
EL_TORITO = re.compile(r"^El Torito boot img : +\d+ +(\w+)", re.MULTILINE)
FILE = re.compile(r"^File data lba:.*, +(\d+) , '(/.*)'$", re.MULTILINE)


@dataclass(frozen=True)
class FinishedIso:
    """One Slipway ISO. files: size in bytes by path; epoch: seconds, the time stamp of its build.

    cd, usb: the firmware that starts it from a CD and from a USB stick, of "BIOS" and "UEFI".
    """

    path: Path
    version: str
    epoch: int
    files: Mapping[str, int]
    cd: frozenset[str]
    usb: frozenset[str]

    def read(self, name: str) -> bytes:
        """The content of one file, which should be small."""
        with TemporaryDirectory() as folder:
            target = Path(folder, "file")
            extract = ["-osirrox", "on", "-extract_single", name, str(target)]
            run([*XORRISO, *indev(self.path), *extract])
            return target.read_bytes()


def indev(iso: Path) -> list[str]:
    """xorriso's arguments to read an ISO file, whatever its name is."""
    return ["-indev", f"stdio:{iso.absolute()}"]


def read_iso(path: Path) -> FinishedIso:
    """Look at an ISO. Raises SlipwayError when it is not one of Slipway's."""
    if not path.is_file():
        raise SlipwayError("there is no such file", where=str(path))
    find = ["-find", "/", "-type", "f", "-exec", "report_lba", "--"]
    try:
        said = run([*XORRISO, *indev(path), *REPORTS, *find]).stdout
    except CommandFailed as error:
        raise SlipwayError(
            "this is not an ISO, or not a whole one", where=str(path), hint=error.output
        ) from None
    files = {name: int(size) for size, name in FILE.findall(said)}
    volume, made = VOLUME.search(said), MADE.search(said)
    ours = f"/{FILE_NAMES[NODE_IMAGE]}" in files and any(x.startswith(MARKER) for x in files)
    if not (ours and volume and made):
        raise SlipwayError(
            "this is not a Slipway ISO", where=str(path), hint="Build one with ./build.sh"
        )
    return FinishedIso(
        path,
        version=volume[1].replace("_", "."),
        epoch=int(datetime.strptime(made[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()),
        files=files,
        cd=frozenset(EL_TORITO.findall(said)),
        usb=frozenset(_started_from_disk(said)),
    )


def _started_from_disk(reports: str) -> list[str]:
    loader = re.search(r"^System area summary: MBR .*\bgrub2-mbr\b", reports, re.MULTILINE)
    partition = re.search(rf"^GPT type GUID +: +\d+ +{ESP_TYPE}$", reports, re.MULTILINE)
    return [*(["BIOS"] if loader else []), *(["UEFI"] if partition else [])]
