"""Firmware, processor, memory and the machine's own identity, from /proc and /sys."""

from __future__ import annotations

import re
from pathlib import Path

from agent.core.errors import SlipwayError
from installer.inventory.model import Firmware

# The variable's name with the UEFI specification's global vendor id; byte 5 is its value.
SECURE_BOOT = "firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def read_firmware(sys: Path) -> Firmware:
    """How the machine was started. sys: where sysfs is mounted."""
    if not (sys / "firmware/efi").is_dir():
        return Firmware(mode="bios")
    try:
        secure_boot = (sys / SECURE_BOOT).read_bytes()[4:5] == b"\1"
    except OSError:
        secure_boot = False
    return Firmware(mode="uefi", secure_boot=secure_boot)


def read_dmi(sys: Path) -> dict[str, str]:
    """The values below /sys/class/dmi/id by file name; those that may be read."""
    values = {}
    for path in sorted((sys / "class/dmi/id").glob("*_*")):
        try:
            values[path.name] = path.read_text(errors="replace").strip()
        except OSError:
            # Serial numbers are for root only.
            continue
    return values


def parse_memory_mib(meminfo: str) -> int:
    """MiB of memory in /proc/meminfo. Raises SlipwayError when it has no such line."""
    found = re.search(r"^MemTotal:\s+(\d+) kB$", meminfo, re.MULTILINE)
    if not found:
        raise SlipwayError("the memory's size cannot be read", where="/proc/meminfo")
    return int(found[1]) // 1024


def parse_cpu(cpuinfo: str) -> tuple[str, int, bool]:
    """Model, number of threads and whether it can virtualize, from /proc/cpuinfo."""
    model = re.search(r"^model name\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    threads = len(re.findall(r"^processor\s*:", cpuinfo, re.MULTILINE))
    flags = re.search(r"^flags\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    virtualization = {"vmx", "svm"} & set(flags[1].split() if flags else ())
    return model[1].strip() if model else "", max(threads, 1), bool(virtualization)


def parse_consoles(command_line: str) -> tuple[str, ...]:
    """The console= parameters of the kernel's command line, in order."""
    return tuple(word for word in command_line.split() if word.startswith("console="))
