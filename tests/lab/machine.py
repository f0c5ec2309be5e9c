"""A running machine: the QEMU process, its monitor and its serial console."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket
from types import TracebackType
from typing import Self

from agent.core.command import run
from tests.lab.arguments import FIRMWARE, Accelerator, qemu_arguments
from tests.lab.dilation import dilated
from tests.lab.errors import LabError
from tests.lab.qmp import Qmp
from tests.lab.serial import Line, Serial
from tests.lab.spec import MachineSpec, Nic, Paths
from tests.lab.wait import until
from tests.lab.wire import Wire

# Seconds for QEMU itself, not for what runs in it.
START_LIMIT = 30.0
STOP_LIMIT = 30.0
SAVE_LIMIT = 120.0


class Machine:
    """A machine that is switched on. Use it with `with`: it is switched off at the end.

    Its serial log, last screenshot and command line stay in the folder for logs.
    """

    def __init__(
        self,
        spec: MachineSpec,
        home: Path,
        logs: Path,
        accelerator: Accelerator,
        *,
        power_on: float | None = None,
        on_line: Callable[[Line], None] | None = None,
    ) -> None:
        """Make what is missing in `home`, start QEMU, and let the machine run.

        power_on: the time.monotonic() from which its serial console counts, now by default.
        Raises LabError when QEMU does not start.
        """
        self.spec = spec
        self.paths = Paths(home, logs, Path(tempfile.mkdtemp(prefix="lab-")))
        home.mkdir(parents=True, exist_ok=True)
        logs.mkdir(parents=True, exist_ok=True)
        make_disks(spec, self.paths)
        argv = qemu_arguments(spec, self.paths, accelerator)
        argv = dilated(argv, spec.dilation, datetime.now(UTC))
        if not spec.outlive:
            argv = ["setpriv", "--pdeathsig", "KILL", "--", *argv]
        self._process = self._start(argv)
        try:
            self.qmp = until(self._connect, START_LIMIT, "QEMU's monitor", where=spec.name)
            self.power_on = time.monotonic() if power_on is None else power_on
            self.connect_serial(on_line)
            for nic in spec.nics:
                if not nic.plugged:
                    self.plug_cable(nic, plugged=False)
            if spec.incoming:
                until(self._loaded, SAVE_LIMIT, "the memory to be loaded", where=spec.name)
            self.qmp.execute("cont")
        except BaseException:
            self._kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.returncode is None:
            self.stop()

    def wait_for_reset(self, limit: float) -> None:
        """Wait until the guest restarts the machine. Raises LabTimeout, LabError on power-off."""
        if not self.spec.stop_at_reboot:
            self.qmp.wait_event("RESET", limit, guest=True)
            return
        reason = self.qmp.wait_event("SHUTDOWN", limit)["reason"]
        if reason != "guest-reset":
            raise LabError(f"the machine did not restart but ended: {reason}", where=self.spec.name)

    def wait_for_power_off(self, limit: float) -> None:
        """Wait until the guest switches the machine off. Raises LabTimeout."""
        self.qmp.wait_event("SHUTDOWN", limit, reason="guest-shutdown")

    def pause(self) -> None:
        """Stop the guest's processors; its network and clock stand still with them."""
        self.qmp.execute("stop")

    def resume(self) -> None:
        self.qmp.execute("cont")

    def reset(self) -> None:
        """Start from the firmware again; all that is in memory is lost, as in a power cut."""
        self.qmp.execute("system_reset")

    def screenshot(self, name: str = "screen.png") -> Path:
        """A picture of the screen, in the folder for logs."""
        path = (self.paths.logs / name).resolve()
        self.qmp.execute("screendump", filename=str(path), format="png")
        return path

    def plug_usb(self, name: str, image: Path) -> None:
        """Plug in a USB stick, read-only."""
        file = {"driver": "file", "filename": str(image)}
        self.qmp.execute("blockdev-add", driver="raw", node_name=name, read_only=True, file=file)
        self.qmp.execute("device_add", driver="usb-storage", bus="usb.0", id=name, drive=name)

    def unplug_usb(self, name: str, limit: float = 30.0) -> None:
        """Pull a stick that `plug_usb` plugged in."""
        self.qmp.execute("device_del", id=name)
        self.qmp.wait_event("DEVICE_DELETED", limit, device=name)
        self.qmp.execute("blockdev-del", node_name=name)

    def plug_cable(self, nic: Nic, *, plugged: bool) -> None:
        """Plug a NIC's cable in, or pull it."""
        self.qmp.execute("set_link", name=self._name(nic), up=plugged)

    @contextmanager
    def wire(self, nic: Nic) -> Iterator[Wire]:
        """The wire at a NIC whose network has one.

        QEMU's own network is cut off meanwhile: it speaks for every address there is, and would
        reset the test's connections.
        """
        name = self._name(nic)
        self.qmp.execute("set_link", name=f"{name}-user", up=False)
        try:
            with Wire(*self.paths.wire(name)) as wire:
                yield wire
        finally:
            self.qmp.execute("set_link", name=f"{name}-user", up=True)

    def save(self, name: str) -> None:
        """Keep the whole state, memory and disks, under a name in the disks.

        Every disk must be qcow2, none of them nvme. Raises LabError.
        """
        self.qmp.monitor(f"savevm {name}")

    def restore(self, name: str) -> None:
        """Go back to a saved state, any number of times."""
        self.qmp.monitor(f"loadvm {name}")

    def save_memory(self, path: Path) -> None:
        """Keep the state, without the disks, in a file: a spec's `incoming`. It stays paused.

        Raises LabError, LabTimeout.
        """
        self.qmp.execute("stop")
        self.qmp.execute("migrate", uri=f"file:{path}")

        def end() -> str | None:
            status = str(self.qmp.execute("query-migrate")["status"])
            return status if status in ("completed", "failed") else None

        status = until(end, SAVE_LIMIT, "the memory to be saved", where=str(path))
        if status != "completed":
            raise LabError(f"the memory was not saved: {status}", where=self.spec.name)

    def stop(self) -> None:
        """Take the last screenshot and switch the machine off, as pulling its cord does."""
        # A machine that ended by itself, or hangs, must not stay either.
        with suppress(LabError, OSError, subprocess.TimeoutExpired):
            self.screenshot()
            self.qmp.execute("quit")
            self._process.wait(STOP_LIMIT)
        self._let_go()
        self._kill()

    def leave(self) -> None:
        """Leave the machine running when this program ends (its spec says `outlive`)."""
        self._let_go()
        # The destructor of Popen would complain about a child that still runs.
        self._process.returncode = 0

    def connect_serial(self, on_line: Callable[[Line], None] | None = None) -> None:
        """Plug a cable into the serial port; `serial.close` pulls it. on_line: see Serial."""
        console = socket(AF_UNIX, SOCK_STREAM)
        console.connect(str(self.paths.serial))
        self.serial = Serial(console, self.power_on, name=self.spec.name, on_line=on_line)

    def slow_down(self, disk: str, rate: int) -> None:
        """Let a disk take so many bytes a second and no more; as many as it can for 0."""
        # Bytes of both, read, written; the same for requests. QMP's own command has names with "_".
        self.qmp.monitor(f"block_set_io_throttle {disk} 0 0 {rate} 0 0 0")

    def _name(self, nic: Nic) -> str:
        return f"net{self.spec.nics.index(nic)}"

    def _start(self, argv: list[str]) -> subprocess.Popen[bytes]:
        (self.paths.logs / "command").write_text(shlex.join(argv) + "\n")
        with (self.paths.logs / "qemu.log").open("wb") as said:
            # A session of its own: Ctrl-C ends this program, which then ends the machine.
            return subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.paths.sockets)

    def _let_go(self) -> None:
        self.serial.close()
        self.qmp.close()

    def _loaded(self) -> bool | None:
        # A `cont` that comes before is lost: the saved machine stood still.
        return self.qmp.execute("query-status")["status"] != "inmigrate" or None

    def _connect(self) -> Qmp | None:
        if self._process.poll() is not None:
            said = (self.paths.logs / "qemu.log").read_text(errors="replace").strip()
            raise LabError("QEMU does not start", where=self.spec.name, hint=said)
        try:
            return Qmp(self.paths.monitor)
        except OSError:
            return None


def make_disks(spec: MachineSpec, paths: Paths) -> None:
    """Make the disks and firmware variables which are not there yet."""
    for disk in spec.disks:
        image = paths.disk(disk)
        if not image.exists():
            backing = ["-b", str(disk.backing.resolve()), "-F", "qcow2"] if disk.backing else []
            run(["qemu-img", "create", "-q", "-f", disk.format, *backing, image, str(disk.size)])
    files = FIRMWARE.get(spec.firmware)
    if files and not paths.firmware_variables.exists():
        run(["qemu-img", "convert", "-O", "qcow2", files.variables, paths.firmware_variables])
