"""The installation medium: what lies on it, and whether it is what the builder wrote.

It may be a netboot tree on a web server. Then the initrd has fetched and proved what the live
system consists of, and the other files are fetched when they are needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.core.errors import SlipwayError
from installer.command_line import COMMAND_LINE, parameter
from installer.download import download

# Written by the builder into the live system; live-boot mounts the medium below /run/live.
DESCRIPTION = Path("/usr/lib/slipway/medium.json")
FOLDER = Path("/run/live/medium")
NODE_IMAGE = "node.squashfs"
KERNEL, INITRD = "vmlinuz", "initrd.img"
ZFS_IMAGE = "zfs.squashfs"
TEMPLATE_IMAGE = "debian-template.squashfs"
# live-boot stacks the images in /live, in the order of their names.
FILE_NAMES = {
    KERNEL: "live/vmlinuz",
    INITRD: "live/initrd.img",
    NODE_IMAGE: "live/10-node.squashfs",
    ZFS_IMAGE: "layers/zfs.squashfs",
    TEMPLATE_IMAGE: "layers/debian-template.squashfs",
}
CHUNK_BYTES = 1 << 20
# The kernel parameter with the address of a netboot tree.
SOURCE = "slipway.medium"


class MediumFile(BaseModel):
    """Size and SHA-256 of one file of the medium. unpacked_bytes: of an image, its files in all."""

    model_config = ConfigDict(frozen=True)
    size_bytes: int
    sha256: str
    unpacked_bytes: int = 0


class Medium(BaseModel):
    """The builder's description of the medium. source: the address of a netboot tree, or empty."""

    model_config = ConfigDict(frozen=True)
    version: str
    kernel_version: str
    files: dict[str, MediumFile]
    folder: Path = FOLDER
    source: str = ""

    def path(self, name: str) -> Path:
        """Where a file of the medium lies."""
        return self.folder / FILE_NAMES[name]

    def verify(self, progress: Callable[[int, int], None]) -> None:
        """Read every file and compare its digest; progress(bytes done, bytes in all).

        Of a netboot tree, every file that is here. Raises SlipwayError at the first that differs.
        """
        files = {
            name: file
            for name, file in self.files.items()
            if not self.source or self.path(name).exists()
        }
        total = sum(file.size_bytes for file in files.values())
        done = 0
        for name, file in files.items():
            digest = hashlib.sha256()
            with self.path(name).open("rb") as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    digest.update(chunk)
                    done += len(chunk)
                    progress(done, total)
            if digest.hexdigest() != file.sha256:
                raise SlipwayError(
                    "the installation medium is damaged: the file's SHA-256 is "
                    f"{digest.hexdigest()}, {file.sha256} was expected",
                    where=str(self.path(name)),
                    hint="compare the ISO with SHA256SUMS and write the medium again; "
                    "no disk was changed",
                )

    def obtain(self, names: Iterable[str]) -> None:
        """Have these files here: fetch from a netboot tree what is missing, and prove it.

        Raises SlipwayError.
        """
        for name in names:
            if self.source and not self.path(name).exists():
                self._fetch(name)

    def _fetch(self, name: str) -> None:
        url, path = f"{self.source}/{FILE_NAMES[name]}", self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        try:
            found = download(url, part)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise SlipwayError(
                f"the file cannot be kept in memory: {error.strerror}; no disk was changed",
                where=url,
            ) from None
        if found != self.files[name].sha256:
            part.unlink()
            raise SlipwayError(
                f"the file's SHA-256 is {found}, {self.files[name].sha256} was expected",
                where=url,
                hint="The server has the files of another build: start this machine again. "
                "No disk was changed.",
            )
        part.rename(path)


def load(path: Path = DESCRIPTION, command_line: Path = COMMAND_LINE) -> Medium:
    """Read the description. Raises SlipwayError outside of the live system."""
    source = parameter(command_line.read_text(errors="replace"), SOURCE).rstrip("/")
    try:
        return Medium.model_validate_json(path.read_text()).model_copy(update={"source": source})
    except OSError as error:
        raise SlipwayError(
            "this is not a Slipway installation medium", where=str(path), hint=error.strerror
        ) from error
    except ValidationError as error:
        raise SlipwayError(f"the description of the medium is damaged: {error}") from error
