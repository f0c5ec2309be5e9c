"""`slipway boot status|sync`."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent import config
from agent.boot.esp import (
    Esp,
    boot_sector_is_current,
    differences,
    find_esp,
    mounted,
    update_esp,
)
from agent.boot.kernels import installed_kernels, startable_kernels
from agent.boot.layout import esp_files
from agent.core.errors import SlipwayError

ROOT = Path("/")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `boot` to the command line."""
    boot = commands.add_parser("boot", help="kernel and boot loader on the disks")
    actions = boot.add_subparsers(required=True, metavar="ACTION")
    status = actions.add_parser("status", help="which disks the node can start from")
    status.set_defaults(function=show_status)
    sync = actions.add_parser("sync", help="bring every disk up to date")
    sync.set_defaults(function=sync_all)


def show_status(_: argparse.Namespace) -> int:
    """Print one line a disk. Exit status 1 when one is missing or behind."""
    node = config.load()
    kernels = _kernels(node)
    good = True
    for uuid in node.boot.esps:
        esp = find_esp(uuid)
        words = "missing" if esp is None else _state(esp, kernels, node.boot.kernel_parameters)
        good = good and words == "up to date"
        print(f"{esp.disk if esp else '-':<14} {uuid:<10} {words}")
    print("kernels: " + ", ".join(kernels))
    return 0 if good else 1


def _kernels(node: config.NodeConfig) -> list[str]:
    """The kernels for the boot menu; one that is left out is named."""
    kernels = startable_kernels(ROOT, node.boot.kernel_parameters)
    for version in sorted(set(installed_kernels(ROOT)).difference(kernels)):
        print(f"slipway boot: Linux {version} is left out: its initrd has no ZFS")
    return kernels


def _state(esp: Esp, kernels: list[str], parameters: tuple[str, ...]) -> str:
    with mounted(esp) as folder:
        actions = differences(esp_files(kernels, parameters, esp.uuid), folder, ROOT)
        boot_sector = boot_sector_is_current(esp, folder, ROOT)
    if actions:
        return f"{len(actions)} files behind; run: slipway boot sync"
    return "up to date" if boot_sector else "boot sector behind; run: slipway boot sync"


def sync_all(_: argparse.Namespace) -> int:
    """Bring every ESP up to date; one that is missing is named and does not stop the others.

    Raises SlipwayError when no ESP is there at all.
    """
    node = config.load()
    kernels = _kernels(node)
    found = 0
    for uuid in node.boot.esps:
        esp = find_esp(uuid)
        if esp is None:
            print(f"slipway boot: the EFI system partition {uuid} is missing, and left out")
            continue
        found += 1
        changes = update_esp(esp, kernels, node.boot.kernel_parameters, ROOT)
        print(f"slipway boot: {esp.disk}: {changes or 'no'} changes")
    if not found:
        raise SlipwayError(
            "none of the node's EFI system partitions was found",
            where=str(config.PATH),
            hint="lsblk -o NAME,PARTTYPENAME,UUID shows which there are",
        )
    return 0
