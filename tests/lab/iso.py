"""The built ISO: where it is, what is in it, and copies of it that are damaged on purpose."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from agent.core.command import run
from agent.core.errors import SlipwayError

CHECKOUT = Path(__file__).resolve().parents[2]
OUT = CHECKOUT / "out"

KERNEL = "/live/vmlinuz"
INITRD = "/live/initrd.img"
NODE_IMAGE = "/live/10-node.squashfs"

BLOCK = 2048
# xorriso's report_lba: "File data lba:  extent , first block , blocks , bytes , 'path'".
EXTENT = re.compile(r"^File data lba:\s*\d+ ,\s*(\d+) ,\s*\d+ ,\s*(\d+) ,", re.MULTILINE)


def newest() -> Path:
    """The ISO that was built last. Raises SlipwayError when there is none."""
    images = sorted(OUT.glob("slipway-*-amd64.iso"), key=lambda path: path.stat().st_mtime)
    if not images:
        raise SlipwayError("there is no ISO", where=str(OUT), hint="run ./build.sh first")
    return images[-1]


def extract(image: Path, path: str, target: Path) -> Path:
    """Copy one file out of the ISO; returns `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    run(["xorriso", "-osirrox", "on", "-indev", image, "-extract_single", path, target])
    return target


def extent(image: Path, path: str) -> tuple[int, int]:
    """Where a file lies in the ISO: first byte and length in bytes."""
    found = run(["xorriso", "-indev", image, "-find", path, "-exec", "report_lba", "--"]).stdout
    extents = EXTENT.findall(found)
    if len(extents) != 1:
        raise SlipwayError(f"{path} is not one piece in the image", where=str(image), hint=found)
    block, length = extents[0]
    return int(block) * BLOCK, int(length)


def with_flipped_byte(image: Path, path: str, position: float, target: Path) -> Path:
    """Copy the ISO with one byte of a file inverted; position: 0 is its start, 1 its end."""
    start, length = extent(image, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(image, target)
    with target.open("r+b") as file:
        file.seek(start + int(length * position))
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0xFF]))
    return target
