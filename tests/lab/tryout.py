"""`./build.sh try`: install the built ISO on a blank machine, and report what happened."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

from tests.lab import accelerator, iso
from tests.lab.answers import answer
from tests.lab.arguments import Accelerator
from tests.lab.install import (
    LOGIN_LIMIT,
    InstalledNode,
    install,
    node_spec,
    wait_until_ready,
)
from tests.lab.layouts import LAYOUTS
from tests.lab.serial import Line
from tests.lab.spec import FirmwareName
from tests.lab.ssh import make_key

WORDS = re.compile("slipway-(installer|agent): .*")
# What the node tells about itself at the end.
QUESTIONS = (
    ("name", ("hostname", "-f")),
    ("address", ("ip", "-brief", "address", "show", "vmbr0")),
    ("volumes", ("lvs", "--noheadings", "-o", "vg_name,lv_name,lv_size")),
    ("status", ("slipway", "status")),
)


def tryout(layout: str, firmware: FirmwareName, *, keep: bool, folder: Path) -> None:
    """Install, restart without the ISO, wait until ready; `folder`/report.json holds the times.

    keep: leave the node running. Raises SlipwayError when any of it fails.
    """
    image = iso.newest()
    shutil.rmtree(folder, ignore_errors=True)
    key = make_key(folder / "key")
    chosen = accelerator.probe(iso.extract(image, iso.KERNEL, folder / "vmlinuz"))
    print(f"{image.name}: {firmware}, {layout}, {chosen.name}", flush=True)
    spec = replace(node_spec("try", firmware, LAYOUTS[layout]), outlive=keep)
    wanted = answer(LAYOUTS[layout], key.public)
    node, power_on = install(spec, wanted, image, key, chosen, folder, on_line=_show)
    machine = node.boot(folder / "boot", power_on=power_on, on_line=_show)
    try:
        node = replace(node, seconds=node.seconds | wait_until_ready(machine))
        node.ssh.wait_until_up(LOGIN_LIMIT)
        _describe(node)
    except BaseException:
        machine.stop()
        raise
    report = folder / "report.json"
    report.write_text(json.dumps(_report(node, layout, image), indent=2) + "\n")
    print(f"The report is in {report.relative_to(iso.CHECKOUT)}.")
    if keep:
        machine.leave()
        print(f"The node runs on:\n  {shlex.join(node.ssh.login)}\n  {node.web_address}")
        print(f"Switch it off with: {shlex.join([*node.ssh.login, 'poweroff'])}")
    else:
        machine.stop()
        shutil.rmtree(node.home)


def measured_on(chosen: Accelerator) -> dict[str, object]:
    """The machine that figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu_model": models[0] if models else "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "accelerator": chosen.name,
    }


def _show(line: Line) -> None:
    """Show what Slipway's own programs say on the console."""
    if said := WORDS.search(line.text):
        print(f"{line.seconds:7.1f} s  {said[0]}", flush=True)


def _describe(node: InstalledNode) -> None:
    for name, argv in QUESTIONS:
        lines = node.ssh.output(*argv).splitlines()
        print(f"{name + ':':10}" + f"\n{'':10}".join(line.strip() for line in lines))


def _report(node: InstalledNode, layout: str, image: Path) -> dict[str, object]:
    return {
        "iso": image.name,
        "layout": layout,
        "firmware": node.spec.firmware,
        "memory_mib": node.spec.memory_mib,
        "machine": measured_on(node.accelerator),
        "seconds": node.seconds,
    }
