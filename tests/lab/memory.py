"""How much memory a machine has left: its balloon device tells what its kernel counts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from tests.lab.errors import LabError
from tests.lab.qmp import Qmp
from tests.lab.spec import MIB

BALLOON = "/machine/peripheral/balloon"
INTERVAL_SECONDS = 1


def balloon(monitor: Path) -> tuple[str, ...]:
    """QEMU's arguments for the device, and for a monitor at this socket that asks it."""
    return (
        *("-device", "virtio-balloon-pci,id=balloon"),
        *("-qmp", f"unix:{monitor},server=on,wait=off"),
    )


@contextmanager
def monitor_socket() -> Iterator[Path]:
    """A path for `balloon`, short as a socket's has to be."""
    with tempfile.TemporaryDirectory(prefix="lab-") as name:
        yield Path(name) / "memory"


class MemoryWatch:
    """Asks a running machine once a second, until it ends. Nothing is known before its kernel has
    loaded the driver.
    """

    def __init__(self, monitor: Path) -> None:
        self._qmp = Qmp(monitor)
        self._lowest: int | None = None
        self._stop = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def lowest_mib(self) -> int:
        """The least that programs could have had so far. Raises LabError when nothing is known."""
        if self._lowest is None:
            raise LabError("the machine never told how much memory it has left")
        return self._lowest // MIB

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._thread.join()
        self._qmp.close()

    def _watch(self) -> None:
        polling = {"property": "guest-stats-polling-interval", "value": INTERVAL_SECONDS}
        self._qmp.execute("qom-set", path=BALLOON, **polling)
        while not self._stop.wait(INTERVAL_SECONDS):
            try:
                told = self._qmp.execute("qom-get", path=BALLOON, property="guest-stats")
            except (LabError, OSError):
                # The machine was switched off.
                return
            available = told["stats"]["stat-available-memory"]
            # QEMU has 2^64 - 1 for what a guest did not tell.
            if told["last-update"] and 0 < available < 1 << 63:
                self._lowest = min(available, self._lowest or available)
