"""Which disks the answer chooses, and why. Pure; every refusal comes before anything is written.

What an answer names must be there and be usable. What it describes (filter, select) is looked
for among the usable disks; the others are left out with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.core.errors import SlipwayError
from installer.answers.disks import DataPool, DiskLayout, DiskSelect, DiskSetup
from installer.inventory.model import Disk, Inventory
from installer.plan.disk_checks import check_disks, why_unusable
from installer.plan.disk_match import is_named, is_stable_name, matches, matches_filter


@dataclass(frozen=True)
class Choice:
    """The chosen disks in the order in which layouts use them.

    data: the disks of each extra pool, by its name; reasons: for every disk of the machine,
    by its path.
    """

    system: tuple[Disk, ...]
    data: dict[str, tuple[Disk, ...]]
    reasons: dict[str, str]


@dataclass
class _Selection:
    """Disks chosen for one layout, and what was found out about disks on the way."""

    disks: list[Disk] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    # Paths of disks that were named by their identity, which is consent to clear them.
    consented: set[str] = field(default_factory=set)

    def take(self, disk: Disk, reason: str, names: Iterable[str]) -> None:
        """Choose a disk. names: what the answer calls it; an identity among them is consent."""
        self.disks.append(disk)
        self.reasons[disk.path] = reason
        if any(is_stable_name(disk, name) for name in names):
            self.consented.add(disk.path)


def choose_disks(setup: DiskSetup, wipe: str, inventory: Inventory) -> Choice:
    """Choose the disks of the node and of its extra pools.

    wipe: "selected" is consent to clear whatever the chosen disks carry.
    Raises SlipwayError: missing, ambiguous, unusable or shared disks, or data without consent.
    """
    machine = sorted(inventory.disks, key=name_order)
    system = _select(setup, machine, where="disk-setup")
    selections = [system]
    data = {}
    for pool in setup.data:
        taken = {disk.path for selection in selections for disk in selection.disks}
        selection = _select(pool, machine, where=f"disk-setup.data.{pool.name}", taken=taken)
        selections.append(selection)
        data[pool.name] = tuple(selection.disks)
    check_disks(
        [disk for selection in selections for disk in selection.disks],
        system=system.disks,
        consented=set().union(*(selection.consented for selection in selections)),
        wipe=wipe,
        inventory=inventory,
    )
    return Choice(tuple(system.disks), data, _merge_reasons(machine, selections))


def name_order(disk: Disk) -> tuple[str, int, str]:
    """The order in which the kernel counts disks, driver by driver: sda … sdz, sdaa, …."""
    return disk.name[:2], len(disk.name), disk.name


def _select(
    layout: DiskSetup | DataPool, machine: list[Disk], *, where: str, taken: Iterable[str] = ()
) -> _Selection:
    if layout.disk_list is not None:
        return _by_name(
            layout.disk_list,
            machine,
            where=where,
            taken=set(taken),
            system=isinstance(layout, DiskSetup),
        )
    selection = _Selection()
    usable = []
    for disk in machine:
        reason = why_unusable(disk, system=isinstance(layout, DiskSetup))
        if reason:
            selection.reasons[disk.path] = reason
        elif disk.path not in taken:
            usable.append(disk)
    if layout.filter is not None:
        _by_filter(layout, layout.filter, usable, selection)
    elif layout.select is not None:
        _by_conditions(layout.select, usable, selection, one=layout.raid is None, where=where)
    _check_found(layout, selection, machine, where)
    return selection


def _by_name(
    entries: tuple[str, ...], machine: list[Disk], *, where: str, taken: set[str], system: bool
) -> _Selection:
    selection = _Selection()
    where = f"{where}.disk-list"
    for entry in entries:
        disk = _the_one(entry, machine, where)
        if disk.path in taken or disk in selection.disks:
            raise SlipwayError(f"{entry} means {disk.path}, which is chosen already", where=where)
        reason = why_unusable(disk, system=system)
        if reason:
            raise SlipwayError(f"{entry} cannot be used: {reason}", where=where)
        selection.take(disk, f"named {entry} in disk-list", [entry])
    for disk in machine:
        selection.reasons.setdefault(disk.path, disk.in_use or "not named in disk-list")
    return selection


def _the_one(entry: str, machine: list[Disk], where: str) -> Disk:
    found = [disk for disk in machine if is_named(disk, entry)]
    if not found:
        raise SlipwayError(
            f"this machine has no disk {entry}", where=where, hint=_describe_all(machine)
        )
    if len(found) > 1:
        raise SlipwayError(
            f"{entry} means more than one disk",
            where=where,
            hint=f"Name one of them by its place: {_describe_all(found)}",
        )
    return found[0]


def _by_filter(
    layout: DiskLayout, filter: dict[str, str], usable: list[Disk], selection: _Selection
) -> None:
    for disk in usable:
        if matches_filter(disk, filter, layout.filter_match):
            selection.take(disk, f"matches {layout.filter_match} of the filter", filter.values())
        else:
            selection.reasons[disk.path] = "does not match the filter"


def _by_conditions(
    select: DiskSelect, usable: list[Disk], selection: _Selection, *, one: bool, where: str
) -> None:
    fitting = [disk for disk in usable if matches(disk, select)]
    for disk in usable:
        selection.reasons[disk.path] = "does not fit select"
    if select.sort in ("smallest", "largest"):
        fitting.sort(key=lambda disk: disk.size_bytes, reverse=select.sort == "largest")
    wanted = select.count or (1 if one else len(fitting))
    if len(fitting) > wanted and select.sort is None:
        raise SlipwayError(
            f"{len(fitting)} disks fit and {wanted} {'is' if wanted == 1 else 'are'} wanted",
            where=f"{where}.select",
            hint=f'Add a condition, or sort = "smallest": {_describe_all(fitting)}',
        )
    if len(fitting) < wanted:
        raise SlipwayError(
            f"{len(fitting)} disks fit and {wanted} are wanted",
            where=f"{where}.select",
            hint=_describe_all(usable),
        )
    for disk in fitting[wanted:]:
        selection.reasons[disk.path] = f"fits select, but comes after the first {wanted}"
    names = (*(select.serial or ()), *(select.wwn or ()))
    for disk in fitting[:wanted]:
        order = f", {select.sort} first" if select.sort else ""
        selection.take(disk, f"fits select{order}", names)


def _check_found(
    layout: DiskSetup | DataPool, selection: _Selection, machine: list[Disk], where: str
) -> None:
    if not selection.disks:
        reasons = (f"{disk.path}: {selection.reasons.get(disk.path, '')}" for disk in machine)
        raise SlipwayError(
            "no disk matches", where=where, hint="\n  ".join(reasons) or "There are no disks."
        )
    if layout.raid is None and len(selection.disks) > 1:
        raise SlipwayError(
            f"{len(selection.disks)} disks match and one is wanted",
            where=where,
            hint=f"Narrow it down to one of {_describe_all(selection.disks)}",
        )


def _describe_all(disks: list[Disk]) -> str:
    if not disks:
        return "There are no disks."
    return ", ".join(
        f"{disk.path} ({disk.model or 'unknown model'}, serial {disk.serial or 'unknown'}, "
        f"{disk.size_bytes / 1000**3:.1f} GB)"
        for disk in disks
    )


def _merge_reasons(machine: list[Disk], selections: list[_Selection]) -> dict[str, str]:
    """Why each disk is used, by whichever layout; for the rest what the system's choice said."""
    reasons = {disk.path: selections[0].reasons.get(disk.path, "") for disk in machine}
    for selection in selections:
        for disk in selection.disks:
            reasons[disk.path] = selection.reasons[disk.path]
    return reasons
