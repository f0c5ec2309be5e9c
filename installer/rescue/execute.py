"""The rescue's actions, each by one well-known tool; and what is read off an installed system."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent import config
from agent.boot.esp import add_firmware_entry, find_esp, update_esp
from agent.boot.kernels import startable_kernels
from agent.core.command import run
from agent.core.errors import CommandFailed, SlipwayError
from installer.execute.accounts import set_password
from installer.rescue.plan import (
    Action,
    ActivateVolumes,
    AssembleArrays,
    BindFolder,
    Candidate,
    ImportPool,
    MountRest,
    MountRoot,
    plan_look,
)
from installer.session.protocol import FoundSystem

PLACE = Path("/rescue")
EFI = Path("/sys/firmware/efi")
HOST_ID = Path("/sys/module/spl/parameters/spl_hostid")
COLUMNS = "PATH,TYPE,FSTYPE,MOUNTPOINTS"


def execute(action: Action, place: Path = PLACE) -> None:
    """Do one action. Raises CommandFailed."""
    match action:
        case AssembleArrays():
            # Its status says that some array was not whole; the others are there.
            run(["mdadm", "--assemble", "--scan", "--config=partitions"], check=False)
        case ActivateVolumes():
            run(["vgchange", "--activate", "y"], check=False)
        case ImportPool():
            _import_pool(action, place)
        case MountRoot():
            _mount_root(action, place)
        case MountRest():
            _mount_rest(action, place)
        case BindFolder():
            target = place / action.folder
            run(["mount", "--rbind", "--make-rslave", f"/{action.folder}", target])


def _import_pool(action: ImportPool, place: Path) -> None:
    run(["modprobe", "zfs"])
    # A pool notes who imports it, and its own node would refuse it after a stranger that could not
    # export it. So this system has the node's id meanwhile.
    told = run(["zdb", "-l", action.device], check=False).stdout
    if host := host_id(told):
        HOST_ID.write_text(f"{host}\n")
    run(["zpool", "import", "-f", "-N", "-R", place, action.name], check=False)


def host_id(label: str) -> int:
    """The id of the host that a pool belongs to, 0 if of none. label: as zdb -l prints it."""
    found = re.search(r"^ +hostid: (\d+)$", label, re.MULTILINE)
    return int(found[1]) if found else 0


def _mount_root(action: MountRoot, place: Path) -> None:
    place.mkdir(exist_ok=True)
    # What is mounted below a private mount is seen by no service that has mounts of its own:
    # it would keep it, and with it the pool, when this system lets go.
    run(["mount", "--types", "tmpfs", "--make-private", "rescue", place])
    kind = action.filesystem
    # A dataset's own mount point is the altroot; zfsutil is how mount(8) is told so.
    options = [*action.options, *(["zfsutil"] if kind == "zfs" else [])]
    chosen = ["--options", ",".join(options)] if options else []
    run(["mount", "--types", kind, *chosen, action.device, place])


def _mount_rest(action: MountRest, place: Path) -> None:
    if action.pool:
        run(["zfs", "mount", "-a"], check=False)
    fstab = place / "etc" / "fstab"
    if fstab.exists():
        # What cannot be mounted is missed by nobody who wants a shell.
        run(["mount", "--all", "--fstab", fstab, "--target-prefix", place], check=False)


def release(place: Path = PLACE) -> None:
    """Unmount the installed system; nothing mounted is fine."""
    # One for the system, and one for the private place below it.
    while place.is_mount():
        run(["umount", "--recursive", place])


def end() -> None:
    """Let go of everything, so that the installed system may be started. Raises CommandFailed."""
    release()
    pools = run(["zpool", "list", "-H", "-o", "name"], check=False).stdout.split()
    for pool in pools:
        run(["zpool", "export", pool])
    run(["vgchange", "--activate", "n"], check=False)
    run(["mdadm", "--stop", "--scan"], check=False)


def rows() -> list[dict[str, Any]]:
    """Every block device, as lsblk shows it."""
    found = json.loads(run(["lsblk", "--json", "--list", "--output", COLUMNS]).stdout)
    devices: list[dict[str, Any]] = found["blockdevices"]
    return devices


def datasets() -> list[tuple[str, str]]:
    """Name and mount point of every ZFS file system; none without ZFS."""
    command = ["zfs", "list", "-H", "-t", "filesystem", "-o", "name,mountpoint"]
    lines = run(command, check=False).stdout.splitlines()
    return [(name, place) for name, _tab, place in (line.partition("\t") for line in lines)]


def look(candidates: Iterator[Candidate]) -> Iterator[tuple[Candidate, FoundSystem]]:
    """Those candidates that are installed systems."""
    for candidate in candidates:
        try:
            execute(plan_look(candidate))
            if system := describe(candidate, PLACE):
                yield candidate, system
        except CommandFailed:
            continue
        finally:
            release()


def describe(candidate: Candidate, place: Path) -> FoundSystem | None:
    """The installed system that is mounted there; None when it is none."""
    release_file = place / "etc" / "os-release"
    if not release_file.is_file() and not (place / "usr/lib/os-release").is_file():
        return None
    return FoundSystem(
        name=f"{_first_line(place / 'etc/hostname') or '?'}, {_pretty_name(place)}",
        device=candidate.device,
        storage=candidate.storage,
        options=",".join(candidate.options),
        slipway=(place / str(config.PATH).lstrip("/")).is_file(),
    )


def _first_line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").partition("\n")[0].strip()
    except OSError:
        return ""


def _pretty_name(place: Path) -> str:
    # The file in /etc is often a link to an absolute path of the installed system.
    for name in ("usr/lib/os-release", "etc/os-release"):
        lines = _lines(place / name)
        for line in lines:
            key, _equals, value = line.partition("=")
            if key == "PRETTY_NAME":
                return value.strip().strip('"')
    return "?"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def make_boot_loader(place: Path = PLACE) -> list[str]:
    """Kernel, initrd and GRUB on every ESP of the node anew; gives what was done, for people.

    Raises SlipwayError when none of its ESPs is there.
    """
    node = config.load(place / str(config.PATH).lstrip("/"))
    kernels = startable_kernels(place, node.boot.kernel_parameters)
    said = []
    for uuid in node.boot.esps:
        esp = find_esp(uuid)
        if esp is None:
            said.append(f"{uuid} is missing")
            continue
        parameters = node.boot.kernel_parameters
        changes = update_esp(esp, kernels, parameters, place, boot_sector=True)
        said.append(f"{esp.disk}: {changes or 'no'} changes")
        if EFI.is_dir() and (warning := add_firmware_entry(esp)):
            said.append(warning)
    if not any("changes" in words for words in said):
        raise SlipwayError("none of the node's EFI system partitions was found", where=str(place))
    return said


def set_root_password(password: str, place: Path = PLACE) -> None:
    """Set root's password in the installed system."""
    set_password(place, "root", password, hashed=False)
