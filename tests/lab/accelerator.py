"""Which accelerator works here: found out by starting a kernel, not by looking at a device node."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from agent.core.command import run
from agent.core.errors import CommandTimeout
from tests.lab.arguments import KVM, TCG, Accelerator
from tests.lab.dilation import Dilation

log = logging.getLogger(__name__)

# Without a root file system a kernel runs through its whole start in less than a second, and
# panics with these words. Half a KVM (a nested one, say) fails long before.
LAST_WORDS = "Kernel panic"
LIMIT = 10.0


def probe(kernel: Path) -> Accelerator:
    """KVM if it starts this kernel, emulation if not."""
    command = [
        "qemu-system-x86_64",
        "-nodefaults",
        *KVM.arguments,
        *("-machine", "q35", "-m", "512", "-display", "none", "-no-reboot"),
        *("-kernel", str(kernel), "-append", "console=ttyS0 panic=-1", "-serial", "stdio"),
    ]
    try:
        result = run(command, check=False, timeout=LIMIT)
    except CommandTimeout as error:
        log.info("KVM does not work here: %s", error)
        return TCG
    if LAST_WORDS in result.stdout:
        return KVM
    log.info("KVM does not work here: %s", result.stderr.strip())
    return TCG


def slow_time(accelerator: Accelerator, factor: int) -> Dilation | None:
    """A time from now on that is slower in machines, if they are emulated."""
    return Dilation(factor, datetime.now(UTC)) if accelerator == TCG else None
