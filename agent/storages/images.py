"""The file system in which disks of virtual machines lie, as qcow2 files.

libvirt's pool of a volume group makes thick volumes only, and has no space beside a thin pool that
fills the group. So the thin pool carries one thin volume with a file system, as large as the pool,
and libvirt gets a directory. On ZFS the directory is a dataset. docs/architecture.md says more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agent.config import LvmThin, Zfs
from agent.core.command import run
from agent.core.commands import Command, execute
from agent.core.template import render
from agent.step import WaitForOperator
from agent.storages.model import Storage

VOLUME = "images"
# A volume has this name until its file system is complete.
UNFINISHED = "images.new"
# ZFS: a record holds one cluster of qcow2, so that a small write does not copy a large record.
RECORD_SIZE = "64K"
UNITS = Path("/etc/systemd/system")
# Like Debian's: anybody may pass through to a file whose name they know, as QEMU must.
MODE = 0o711


class Images:
    """A directory for disks of virtual machines with a file system of its own.

    storage: what the file system lies in; with any other than a thin pool or ZFS the directory is
    an ordinary one.
    """

    def __init__(self, path: Path, storage: Storage, *, units: Path = UNITS) -> None:
        self.path = path
        self.storage = storage
        self._units = units

    def missing(self) -> tuple[str, ...]:
        """What keeps the file system from being there, in words. Raises ToolMissing."""
        if self._own_file_system and not self.path.is_mount():
            return (f"{self.path} has no file system of its own",)
        return ()

    def make(self) -> None:
        """Make and mount the file system, now and at every start.

        Raises WaitForOperator when a new file system would hide files. One that has been there
        before hides only what came while it was not mounted.
        """
        if self.missing():
            if self.path.is_dir() and any(self.path.iterdir()) and not self._made():
                raise WaitForOperator(
                    f"{self.path} has files, and is to become a file system of its own",
                    hint="move them away, run systemctl restart slipway-agent, and move them back",
                )
            self.path.mkdir(parents=True, exist_ok=True)
            execute(self.commands())
            self.path.chmod(MODE)

    def commands(self) -> tuple[Command, ...]:
        """What `make` runs."""
        match self.storage:
            case LvmThin(volume_group=group, thin_pool=pool) if pool and self.missing():
                return (*_make_volume(group, pool), *self._mount(f"/dev/{group}/{VOLUME}"))
            case Zfs(dataset=dataset) if self.missing():
                return (_make_dataset(f"{dataset}/{VOLUME}", self.path),)
        return ()

    def _made(self) -> bool:
        match self.storage:
            case LvmThin(volume_group=group):
                return _exists(f"{group}/{VOLUME}")
            case Zfs(dataset=dataset):
                return _has_dataset(f"{dataset}/{VOLUME}")
        return False

    @property
    def _own_file_system(self) -> bool:
        match self.storage:
            case LvmThin(thin_pool=pool):
                return bool(pool)
            case Zfs():
                return True
        return False

    def _mount(self, device: str) -> Iterator[Command]:
        """A unit, as systemd reads one from fstab, and not fstab, which is the administrator's."""
        unit = unit_of(self.path)
        text = render("agent/etc/systemd/system/images.mount", path=self.path, device=device)
        yield Command(("tee", str(self._units / unit)), input=text)
        yield Command(("systemctl", "enable", "--now", unit))


def unit_of(path: Path) -> str:
    """The name of the unit that mounts a path of plain letters, digits, "_" and "-"."""
    return str(path).strip("/").replace("-", r"\x2d").replace("/", "-") + ".mount"


def _make_volume(group: str, pool: str) -> Iterator[Command]:
    """A thin volume as large as its pool, with an XFS; one that is there is kept.

    XFS copies a disk by reference (virt-clone --reflink), and needs no check after a power cut.
    """
    volume, unfinished = f"{group}/{VOLUME}", f"{group}/{UNFINISHED}"
    if _exists(volume):
        return
    if _exists(unfinished):
        yield Command(("lvremove", "--yes", unfinished))
    # A percentage would be one of the group, which has no space left beside the pool.
    options = ["--noheadings", "--units", "k", "--nosuffix", "--options", "lv_size"]
    kib = int(float(run(["lvs", *options, f"{group}/{pool}"]).stdout))
    thin = ("--thin", "--virtualsize", f"{kib}k", "--name", UNFINISHED)
    yield Command(("lvcreate", "--yes", *thin, f"{group}/{pool}"))
    yield Command(("mkfs.xfs", "-q", f"/dev/{unfinished}"))
    yield Command(("lvrename", unfinished, volume))


def _make_dataset(dataset: str, path: Path) -> Command:
    """A mounted dataset; one that is there is mounted."""
    if _has_dataset(dataset):
        return Command(("zfs", "mount", dataset))
    properties = ("-o", f"mountpoint={path}", "-o", f"recordsize={RECORD_SIZE}")
    return Command(("zfs", "create", *properties, dataset))


def _has_dataset(dataset: str) -> bool:
    return run(["zfs", "list", "-H", dataset], check=False).status == 0


def _exists(volume: str) -> bool:
    return run(["lvs", volume], check=False).status == 0
