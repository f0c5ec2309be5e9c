"""Plans for backups: pure, from what was seen to commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from agent.backup.model import PARTIAL, Backup, Kind, folder_of
from agent.containers.model import CONFIGURATION, Record
from agent.containers.model import folder_of as container_folder
from agent.containers.plan import RECORD, Seen
from agent.containers.volumes import Volumes
from agent.core.commands import Command, command, remove_tree, write_file

# On the file system of the disks: what guests overwrite during their backup is kept here. AppArmor
# lets QEMU use it (config-templates/package/etc/apparmor.d/local/abstractions/libvirt-qemu).
SCRATCH = Path("/var/lib/libvirt/images/.backup")
QEMU_USER = "libvirt-qemu"
ARCHIVE = "root.tar.zst"
# Owners as the node knows them, not their names; capabilities and access lists too.
TAR = ("--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls", "--zstd")


def backup_vm(place: Path, guest: str, time: str) -> tuple[Command, ...]:
    """A copy of all disks of a virtual machine, as they are in one moment, running or not."""
    begin, end = _frame(place, "vm", guest, time)
    options = ("--level", "copy", "--raw", "--compress", "--noprogress", "--nocolor")
    scratch = ("--scratchdir", SCRATCH, "--socketfile", SCRATCH / f"{guest}.socket")
    return (
        command("install", "--directory", "--owner", QEMU_USER, "--mode=0700", SCRATCH),
        *begin,
        command("virtnbdbackup", "--domain", guest, *options, *scratch, "--output", _partial(end)),
        end,
    )


def copy_of(container: str) -> str:
    """What the copy is called that a container is archived from: as no container can be."""
    return f"{container}_backup"


def backup_container(
    place: Path, seen: Seen, volumes: Volumes, time: str, *, leftover: bool = False
) -> tuple[Command, ...]:
    """An archive of a container's files, as they are in one moment where storage can do that.

    leftover: the copy of a backup that was interrupted is still there.
    """
    begin, end = _frame(place, "container", seen.name, time)
    partial = _partial(end)
    copy = copy_of(seen.name)
    live = volumes.copies_live
    source = copy if live else seen.name
    folder, remove = container_folder(seen.name), remove_tree(container_folder(copy))
    return (
        *begin,
        command("cp", folder / CONFIGURATION, folder / RECORD, partial),
        *(_forget_copy(copy, volumes) if leftover else ()),
        command("install", "--directory", container_folder(copy), undo=remove),
        *(volumes.linked_clone(seen.name, copy, seen.record.disk_bytes) if live else ()),
        *volumes.open(source),
        command(
            "tar",
            "--create",
            *TAR,
            "--file",
            Path(partial, ARCHIVE),
            "--directory",
            volumes.path(source),
            ".",
        ),
        *volumes.close(source),
        *(volumes.remove(copy, ()) if live else ()),
        command(*remove),
        end,
    )


def _forget_copy(copy: str, volumes: Volumes) -> Iterator[Command]:
    """Remove a copy, mounted or not."""
    for each in volumes.close(copy):
        yield replace(each, may_fail=True)
    yield from volumes.remove(copy, ())


def _frame(place: Path, kind: Kind, guest: str, time: str) -> tuple[tuple[Command, ...], Command]:
    """A backup has another name until it is complete; what was left of others goes first."""
    folder = folder_of(place, kind, guest)
    partial, complete = folder / f"{time}{PARTIAL}", folder / time
    old = ("-maxdepth", "1", "-name", f"*{PARTIAL}", "-exec", *remove_tree("{}"), "+")
    begin = (
        command("install", "--directory", "--mode=0700", folder),
        command("find", folder, *old),
        command("mkdir", partial, undo=remove_tree(partial)),
    )
    return begin, command("mv", "--no-target-directory", partial, complete)


def _partial(end: Command) -> str:
    return end.argv[-2]


def forget(backups: Sequence[Backup]) -> tuple[Command, ...]:
    """Remove backups."""
    return tuple(command("rm", "--recursive", "--force", backup.path) for backup in backups)


def restore_vm(
    backup: Backup, name: str, xml: str, disks: Mapping[str, str], images: Path
) -> tuple[Command, ...]:
    """A virtual machine as it was, under this name; its disks become qcow2 files among the images.

    xml: its new definition; disks: names of the restored files by those of the disks. What a
    backup holds as zeros would fill the disk; converting leaves it out.
    """
    folder = images / f".restore-{name}"
    remove = ("rm", "--recursive", "--force", folder)
    options = ("--noprogress", "--nocolor", "--logfile", folder / "log")
    return (
        command(*remove),
        command("mkdir", folder, undo=remove),
        command("virtnbdrestore", *options, "--input", backup.path, "--output", folder),
        *(
            command(
                *("qemu-img", "convert", "-O", "qcow2", folder / file),
                disk_place(images, name, target),
                undo=("rm", "--force", disk_place(images, name, target)),
            )
            for target, file in disks.items()
        ),
        Command(("virsh", "define", "/dev/stdin"), input=xml),
        command(*remove),
    )


def disk_place(images: Path, name: str, target: str) -> Path:
    """Where the disk of a restored machine lies; target: its name in the machine."""
    return images / f"{name}-{target}.qcow2"


def restore_container(backup: Backup, record: Record, volumes: Volumes) -> tuple[Command, ...]:
    """A container as it was. It is listed by LXC once it is complete."""
    name, folder = backup.guest, container_folder(backup.guest)
    return (
        command("install", "--directory", "--mode=0711", folder, undo=remove_tree(folder)),
        write_file(folder / RECORD, record.model_dump_json(indent=2) + "\n"),
        *volumes.create(name, record.disk_bytes),
        command(
            "tar",
            "--extract",
            *TAR,
            "--file",
            backup.path / ARCHIVE,
            "--directory",
            volumes.path(name),
        ),
        *volumes.close(name),
        command("cp", backup.path / CONFIGURATION, folder / CONFIGURATION),
    )
