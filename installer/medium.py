"""The installation medium: what lies on it, and whether it is what the builder wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.core.errors import SlipwayError

# Written by the builder into the live system; live-boot mounts the medium below /run/live.
DESCRIPTION = Path("/usr/lib/slipway/medium.json")
FOLDER = Path("/run/live/medium")
NODE_IMAGE = "node.squashfs"
KERNEL, INITRD = "vmlinuz", "initrd.img"
ZFS_IMAGE = "zfs.squashfs"
# live-boot stacks the images in /live, in the order of their names.
FILE_NAMES = {
    KERNEL: "live/vmlinuz",
    INITRD: "live/initrd.img",
    NODE_IMAGE: "live/10-node.squashfs",
    ZFS_IMAGE: "layers/zfs.squashfs",
}
CHUNK_BYTES = 1 << 20


class MediumFile(BaseModel):
    """Size and SHA-256 of one file of the medium. unpacked_bytes: of an image, its files in all."""

    model_config = ConfigDict(frozen=True)
    size_bytes: int
    sha256: str
    unpacked_bytes: int = 0


class Medium(BaseModel):
    """The builder's description of the medium."""

    model_config = ConfigDict(frozen=True)
    version: str
    kernel_version: str
    files: dict[str, MediumFile]
    folder: Path = FOLDER

    def path(self, name: str) -> Path:
        """Where a file of the medium lies."""
        return self.folder / FILE_NAMES[name]

    def verify(self, progress: Callable[[int, int], None]) -> None:
        """Read every file and compare its digest; progress(bytes done, bytes in all).

        Raises SlipwayError at the first that differs.
        """
        total = sum(file.size_bytes for file in self.files.values())
        done = 0
        for name, file in self.files.items():
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


def load(path: Path = DESCRIPTION) -> Medium:
    """Read the description. Raises SlipwayError outside of the live system."""
    try:
        return Medium.model_validate_json(path.read_text())
    except OSError as error:
        raise SlipwayError(
            "this is not a Slipway installation medium", where=str(path), hint=error.strerror
        ) from error
    except ValidationError as error:
        raise SlipwayError(f"the description of the medium is damaged: {error}") from error
