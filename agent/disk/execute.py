"""Executors of the actions of a disk's replacement: each one or two tools."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent import config
from agent.boot.esp import add_firmware_entry, find_esp, update_esp
from agent.boot.kernels import startable_kernels
from agent.boot.partition import esp_options, partition_device
from agent.core.command import run
from agent.core.errors import SlipwayError
from agent.core.files import write_atomically
from agent.disk import progress
from agent.disk.clear import zero_ends
from agent.disk.model import (
    Action,
    DiskSet,
    MakeBootable,
    MakeEsp,
    Member,
    RecordEsps,
    ReplaceMember,
    Slot,
    WriteTable,
)

ROOT = Path("/")
UEFI = Path("/sys/firmware/efi")
LINKS = Path("/dev/disk/by-id")
WAIT_SECONDS = 60


def execute(action: Action) -> None:
    """Do one action. Raises SlipwayError."""
    match action:
        case WriteTable():
            write_table(action)
        case MakeEsp(partition, uuid, sector_bytes):
            volume = [*esp_options(sector_bytes), "-i", uuid.replace("-", "")]
            run(["mkfs.vfat", *volume, partition])
            run(["udevadm", "trigger", "--settle", partition])
        case RecordEsps(uuids):
            record_esps(uuids)
        case MakeBootable(uuid):
            make_bootable(uuid)
        case ReplaceMember(group, member, partition):
            replace_member(group, member, partition)


def write_table(action: WriteTable) -> None:
    """Clear the disk and its partitions, and partition it; where the new partitions begin and end
    is cleared too, so that nothing old wakes up in them.
    """
    for device in (*action.old, action.disk):
        zero_ends(device, 0, size_of(device))
    for slot in action.slots:
        zero_ends(action.disk, slot.start * action.sector_bytes, slot.size * action.sector_bytes)
    options = ["--quiet", "--wipe", "always", "--wipe-partitions", "always"]
    run(["sfdisk", *options, action.disk], input=table_script(action.slots))
    numbers = [slot.number for slot in action.slots]
    devices = [partition_device(action.disk, number) for number in numbers]
    run(["udevadm", "wait", f"--timeout={WAIT_SECONDS}", "--settle", *devices])


def size_of(device: str) -> int:
    """The size of a block device, in bytes."""
    return int(run(["lsblk", "--bytes", "--nodeps", "--noheadings", "-o", "SIZE", device]).stdout)


def table_script(slots: tuple[Slot, ...]) -> str:
    """sfdisk's input for a GPT with these partitions. The BIOS boot partition begins before the
    first mebibyte, which sfdisk would leave free.
    """
    lines = ["label: gpt", "unit: sectors", f"first-lba: {min(slot.start for slot in slots)}"]
    for slot in slots:
        where = f"start={slot.start}, size={slot.size}"
        lines.append(f"{slot.number}: {where}, type={slot.type}, name={json.dumps(slot.name)}")
    return "\n".join(lines) + "\n"


def record_esps(uuids: tuple[str, ...], path: Path = config.PATH) -> None:
    """Change the node's configuration. Raises SlipwayError when it would not be valid."""
    line = f"esps = {json.dumps(list(uuids))}"
    text = re.sub(r"^esps = \[[^]]*\]", line, path.read_text(), count=1, flags=re.MULTILINE)
    if config.parse(text, path).boot.esps != uuids:
        raise SlipwayError("the list of EFI system partitions was not found", where=str(path))
    write_atomically(path, text)


def make_bootable(uuid: str) -> None:
    """Fill the ESP, and tell the firmware of it; a firmware that refuses is only told about."""
    esp = find_esp(uuid)
    if esp is None:
        raise SlipwayError("the new EFI system partition was not found", where=uuid)
    node = config.load()
    parameters = node.boot.kernel_parameters
    update_esp(esp, startable_kernels(ROOT, parameters), parameters, ROOT)
    if UEFI.exists() and (warning := add_firmware_entry(esp)):
        print(f"slipway disk: {warning}")


def replace_member(group: DiskSet, member: Member, partition: str) -> None:
    """Let the partition take the member's place, and wait until it has everything."""
    match group.kind:
        case "zfs":
            run(["zpool", "replace", group.name, member.key, stable_link(partition)])
            progress.follow(lambda: progress.zfs(group.name))
            # The copy may not have begun when it was first asked for.
            run(["zpool", "wait", "-t", "replace", group.name])
        case "md":
            _replace_in_array(group.name, member, partition)
        case "btrfs":
            _replace_in_btrfs(group.name, member.path or member.key, partition)
            _spread_again(group)


def _replace_in_array(array: str, member: Member, partition: str) -> None:
    run(["mdadm", "--manage", array, "--add", partition])
    if member.good:
        # The old disk serves until the new one has everything.
        run(["mdadm", "--manage", array, "--replace", member.path, "--with", partition])
    progress.follow(lambda: progress.md(array, partition))
    if member.disk:
        # Nothing can be removed before the kernel's thread has ended. Status 1: it has.
        run(["mdadm", "--wait", array], check=False)
        run(["mdadm", "--manage", array, "--remove", member.path])


def _replace_in_btrfs(place: str, source: str, partition: str) -> None:
    replace = ["btrfs", "replace", "start", "-B", "-f", source, partition, place]
    # In the background btrfs could not say when this copy begins, nor that it failed.
    with ThreadPoolExecutor(1) as pool:
        copy = pool.submit(run, replace)
        progress.follow(lambda: progress.DONE if copy.done() else progress.btrfs(place))
        copy.result()


def _spread_again(group: DiskSet) -> None:
    """What btrfs wrote while a disk was missing has one copy only."""
    if group.profile.startswith("raid1"):
        targets = [f"-{kind}convert={group.profile},soft" for kind in "dms"]
        run(["btrfs", "balance", "start", "--force", *targets, group.name])


def stable_link(partition: str, links: Path = LINKS) -> str:
    """The name of the partition that best survives a new cable, or its kernel name."""
    there = [link for link in links.glob("*-part*") if str(link.resolve()) == partition]
    # Names that carry model and serial can be read by a person who holds the disk.
    opaque = ("wwn-", "nvme-eui.", "nvme-nvme.", "nvme-uuid.")
    ranks = [(link.name.startswith(opaque), str(link)) for link in there]
    return min(ranks)[1] if ranks else partition
