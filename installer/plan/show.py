"""The plan in words: what a person reads before anything is done."""

from __future__ import annotations

from collections.abc import Iterator

from installer.plan.model import Action, Plan, PlannedDisk

# What each kind of action does, filled in from its fields.
TITLES = {
    "wipe-disk": "clear every signature on {device}",
    "partition-disk": "write the partition table of {device}",
    "retire-volume-group": "rename the old volume group {uuid} to {new_name}",
    "retire-zpool": "rename the old ZFS pool {guid} to {new_name}",
    "create-raid": "create the array {device} ({level}) over {members}",
    "create-volume-group": "create the volume group {name} on {devices}",
    "create-logical-volume": "create the logical volume {group}/{name}, {size_kib} KiB",
    "create-thin-pool": "create the thin pool {group}/{name}, {size_kib} KiB",
    "create-zpool": "create the ZFS pool {name}: {vdevs}",
    "create-dataset": "create the dataset {name}",
    "set-zpool-property": "set {name}={value} on the pool {pool}",
    "export-zpool": "export the pool {pool}",
    "make-filesystem": "make {filesystem} on {devices}",
    "make-swap": "make swap on {device}",
    "create-subvolume": "create the subvolume {path}",
    "mount": "mount {device} on {path}",
    "unpack-image": "unpack {image}",
    "copy-kernel": "put kernel and initrd into /boot",
    "write-files": "write the node's configuration",
    "write-first-boot": "put the first-boot program from {source} at {path}",
    "write-secret": "leave the {secret} for the first boot in {path}",
    "set-password": "set the password of {user}",
    "add-user": "create the account {name}",
    "run-in-target": "run in the node: {argv}",
    "write-identity": "give the node its machine id and SSH host keys",
    "install-boot-loader": "install kernel and boot loader on {disk}",
    "keep-log": "keep the installer's log in {path}",
    "unmount": "write everything out",
}


def action_text(action: Action) -> str:
    """What the action does, in one line."""
    fields = {
        name: " ".join(value) if isinstance(value, list | tuple) else value
        for name, value in action.model_dump().items()
        if name != "partitions"
    }
    title = TITLES.get(action.kind, action.kind)
    return title.format(**fields)


def plan_text(plan: Plan) -> str:
    """The whole plan for a person: disks first, because they are what can be lost."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"Plan for {plan.fqdn}"
    yield from (f"  {line}" for line in plan.summary.splitlines())
    yield from (f"  warning: {warning}" for warning in plan.warnings)
    yield ""
    yield "Disks"
    for disk in plan.disks:
        yield from _disk_lines(disk)
    yield ""
    yield "Actions"
    for number, action in enumerate(plan.actions, 1):
        yield f"  {number:2}. {action_text(action)}"
    yield ""
    yield "Files"
    for file in plan.files:
        target = f" -> {file.link_target}" if file.link_target else ""
        yield f"  {file.mode} {file.path}{target}"
    yield ""
    yield f"Then the machine will {plan.reboot.replace('-', ' ')}."


def _disk_lines(disk: PlannedDisk) -> Iterator[str]:
    identity = ", ".join(
        part
        for part in (
            disk.model,
            disk.serial and f"serial {disk.serial}",
            disk.wwn and f"WWN {disk.wwn}",
        )
        if part
    )
    fate = "left alone" if disk.use == "untouched" else f"ERASED, {disk.use} disk"
    yield f"  {disk.path}  {size_text(disk.size_bytes)}  {identity or 'no identity'}: {fate}"
    yield f"    {disk.reason}"
    for content in disk.contents:
        label = f' "{content.label}"' if content.label else ""
        yield f"    now: {content.kind}{label} on {content.device}"
    sector = disk.logical_sector_bytes
    for part in disk.partitions:
        size = size_text((part.last_sector - part.first_sector + 1) * sector)
        yield f"    new: {part.device}  {size}  {part.type}"


def size_text(size_bytes: int) -> str:
    """Binary units, three digits: "1.82 TiB"."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            # Three digits, but never the exponent that four would get.
            return f"{size:.3g} {unit}" if size < 999.5 else f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.3g} TiB"
