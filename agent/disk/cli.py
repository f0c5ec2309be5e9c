"""`slipway disk replace`."""

from __future__ import annotations

import argparse
import secrets
from dataclasses import replace

from agent import config
from agent.boot.esp import find_esp
from agent.disk import look
from agent.disk.execute import execute
from agent.disk.model import Action, Disk, DiskSet
from agent.disk.plan import check_new, find_place, peer_of, plan_replace
from agent.disk.sets import find_sets


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `disk` to the command line."""
    disk = commands.add_parser("disk", help="the disks of the node")
    actions = disk.add_subparsers(required=True, metavar="ACTION")
    parser = actions.add_parser(
        "replace",
        help="let a new disk take the place of an old one",
        description="Partition the new disk like the others, make it bootable, and copy to it "
        "what belongs there. The node goes on working.",
    )
    parser.add_argument("old", metavar="OLD", help='the old disk, or "missing" when it is gone')
    parser.add_argument("new", metavar="NEW", help="the new disk, such as /dev/sdb")
    parser.add_argument("--wipe", action="store_true", help="give up what the new disk carries")
    parser.set_defaults(function=run_replace)


def run_replace(options: argparse.Namespace) -> int:
    """Replace a disk, and say each action before it is done."""
    for action in make_plan(options.old, options.new, wipe=options.wipe):
        print(f"slipway disk: {action}", flush=True)
        execute(action)
    print("slipway disk: done; to renew the status, run: systemctl restart slipway-agent")
    return 0


def make_plan(old: str, new: str, *, wipe: bool) -> tuple[Action, ...]:
    """Look at the node and plan. Raises SlipwayError before anything is changed."""
    sets = find_sets()
    new_disk = _with_users(look.look_at(look.disk_path(new)), sets)
    place = find_place(look.disk_path(old), new_disk.path, sets)
    group, member = place
    peer = look.look_at(peer_of(group, member))
    slots = look.slots_of(peer.path)
    check_new(new_disk, peer, slots, wipe=wipe)
    esps = config.load().boot.esps
    old_esp = look.look_at(member.disk).esp if member.disk else _lost(esps)
    return plan_replace(place, new_disk, slots, esps, old_esp, _volume_id())


def _with_users(disk: Disk, sets: tuple[DiskSet, ...]) -> Disk:
    names = [group.name for group in sets for m in group.members if m.disk == disk.path]
    return replace(disk, used_by=(*disk.used_by, *names))


def _lost(esps: tuple[str, ...]) -> str:
    """The EFI system partition that is not there any more."""
    return next((uuid for uuid in esps if find_esp(uuid) is None), "")


def _volume_id() -> str:
    return f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
