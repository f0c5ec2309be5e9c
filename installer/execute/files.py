"""Executors that write into the target's file system: files, and the node's identity."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.core.command import run
from agent.core.errors import SlipwayError
from installer.plan.model import PlannedFile

DIRECTORY_MODE = 0o755
PRIVATE_DIRECTORY_MODE = 0o700
# Bits that let anyone but the owner read, write or run.
OTHERS = 0o077


def write_files(files: Iterable[PlannedFile], target: Path) -> None:
    """Write the files below the target, each replaced as a whole.

    Folders that are missing belong to the file's owner, and nobody else may enter them where
    nobody else may read the file. Raises SlipwayError when a path leads out of the target, cannot
    be written, or has an owner that the target does not know.
    """
    for file in files:
        try:
            _write(file, _inside(file.path, target), _owner(file.owner, target))
        except OSError as error:
            raise SlipwayError(
                "the file cannot be written", where=file.path, hint=error.strerror
            ) from error


def write_program(content: bytes, path: str, target: Path) -> None:
    """Write a program that only root may see and run, in a folder that only root may enter.

    Raises SlipwayError when it cannot be written.
    """
    _write_private(content, path, target, 0o700)


def write_secret(content: str, path: str, target: Path) -> None:
    """Write a file that only root may read, in a folder that only root may enter.

    Raises SlipwayError when it cannot be written.
    """
    _write_private(content.encode(), path, target, 0o600)


def _write_private(content: bytes, path: str, target: Path, mode: int) -> None:
    try:
        file = _inside(path, target)
        _make_folder(file.parent, PRIVATE_DIRECTORY_MODE, (0, 0))
        file.touch(mode=mode)
        file.write_bytes(content)
    except OSError as error:
        raise SlipwayError("the file cannot be written", where=path, hint=error.strerror) from error


def write_identity(target: Path) -> None:
    """Give the node a machine id and SSH host keys of its own. Raises CommandFailed."""
    # A D-Bus machine id would be taken over; D-Bus links it to the new one at boot.
    for machine_id in ("etc/machine-id", "var/lib/dbus/machine-id"):
        (target / machine_id).unlink(missing_ok=True)
    run(["systemd-machine-id-setup", f"--root={target}"])
    for key in (target / "etc/ssh").glob("ssh_host_*_key*"):
        key.unlink()
    run(["ssh-keygen", "-A", "-f", target])


@dataclass(frozen=True)
class NodeIdentity:
    """What tells a node from others. ssh_host_keys: public ones, by type: "ed25519"."""

    machine_id: str
    ssh_host_keys: Mapping[str, str]


def read_identity(target: Path) -> NodeIdentity:
    """The node's identity as it is now; what cannot be read is empty."""
    keys = sorted((target / "etc/ssh").glob("ssh_host_*_key.pub"))
    return NodeIdentity(
        _read_line(target / "etc/machine-id"),
        {key.name.split("_")[2]: _read_line(key) for key in keys},
    )


def _read_line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _inside(path: str, target: Path) -> Path:
    """Where the file goes. Its folder is resolved, the last part is not: it is replaced."""
    root = target.resolve()
    relative = Path(path.lstrip("/"))
    folder = (root / relative.parent).resolve()
    if not relative.name or ".." in relative.parts or not folder.is_relative_to(root):
        raise SlipwayError("the file would be outside of the target", where=path)
    return folder / relative.name


def _owner(name: str, target: Path) -> tuple[int, int]:
    """User and group number of one of the target's accounts."""
    if name == "root":
        return 0, 0
    for line in (target / "etc/passwd").read_text().splitlines():
        account = line.split(":")
        if account[0] == name:
            return int(account[2]), int(account[3])
    raise SlipwayError(f"the node has no account {name}")


def _write(file: PlannedFile, path: Path, owner: tuple[int, int]) -> None:
    mode = int(file.mode, 8)
    folder_mode = DIRECTORY_MODE if mode & OTHERS else PRIVATE_DIRECTORY_MODE
    _make_folder(path.parent, folder_mode, owner)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    if file.link_target:
        new.symlink_to(file.link_target)
    else:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(file.content)
        new.chmod(mode)
    os.chown(new, *owner, follow_symlinks=False)
    new.replace(path)


def _make_folder(folder: Path, mode: int, owner: tuple[int, int]) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent, mode, owner)
    folder.mkdir()
    os.chown(folder, *owner)
    # mkdir's mode is cut by the umask.
    folder.chmod(mode)
