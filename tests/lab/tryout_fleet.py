"""`./build.sh try --nodes N`: blank machines and a kit, switched on at once, to one cluster."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.lab import accelerator, iso
from tests.lab.fleet import Member, fleet_answers, fleet_specs, power_on
from tests.lab.serial import Line
from tests.lab.spec import FirmwareName
from tests.lab.ssh import make_key
from tests.lab.tryout import WORDS, measured_on

# How long the first member may take to see all others, after each of them is ready: seconds of
# its own time.
SETTLED_LIMIT = 300.0


def tryout_fleet(count: int, firmware: FirmwareName, *, keep: bool, folder: Path) -> None:
    """Install `count` machines, wait until they are one cluster with HA, and report.

    `folder`/report.json holds the times. keep: leave the nodes running. Raises SlipwayError when
    any of it fails.
    """
    image = iso.newest()
    shutil.rmtree(folder, ignore_errors=True)
    key = make_key(folder / "key")
    chosen = accelerator.probe(iso.extract(image, iso.KERNEL, folder / "vmlinuz"))
    print(f"{image.name}: {firmware}, {count} machines, {chosen.name}", flush=True)
    specs = tuple(replace(spec, outlive=keep) for spec in fleet_specs(count, firmware))
    answers = fleet_answers(count, key.public)
    with power_on(specs, answers, image, key, chosen, folder, on_line=_show) as members:
        state = members[0].wait_for(complete(count), SETTLED_LIMIT, "all members, and HA")
        print(members[0].ssh.output("slipway", "cluster", "status"))
        report = folder / "report.json"
        content = {
            "iso": image.name,
            "firmware": firmware,
            "machine": measured_on(chosen),
            "dilation": members[0].installed.spec.slowness,
            "memory_mib": specs[0].memory_mib,
            "seconds": {member.name: member.installed.seconds for member in members},
            "cluster": state,
        }
        report.write_text(json.dumps(content, indent=2) + "\n")
        print(f"The report is in {report.relative_to(iso.CHECKOUT)}.")
        if keep:
            _leave(members)
    if not keep:
        for spec in specs:
            shutil.rmtree(folder / spec.name / "disks")


def complete(count: int) -> Callable[[dict[str, Any]], bool]:
    """Whether a state is that of a cluster of so many online members, with HA."""

    def check(state: dict[str, Any]) -> bool:
        return bool(state["ha"] and state["quorum"]["online"] == count == len(state["members"]))

    return check


def _show(name: str, line: Line) -> None:
    """Show what Slipway's own programs say on the consoles."""
    if said := WORDS.search(line.text):
        print(f"{line.seconds:7.1f} s  {name}  {said[0]}", flush=True)


def _leave(members: Sequence[Member]) -> None:
    for member in members:
        member.machine.leave()
        print(f"{member.name}:\n  {shlex.join(member.ssh.login)}\n  {member.installed.web_address}")
    print(f"The cluster's page is {members[0].installed.web_address}")
    print("Switch them off with poweroff on each.")
