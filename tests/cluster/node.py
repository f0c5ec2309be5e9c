"""A node of the laboratory: an overlay over the shared tree, namespaces, systemd in them."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.core.command import Result, run
from tests.cluster.network import Switch
from tests.lab.wait import until

START = Path(__file__).with_name("start_node.py")
BOOT_SECONDS = 180.0
NODE_TOML = """\
fqdn = "{name}.example.org"
management_interface = "eth0"
[storage]
kind = "directory"
path = "/var/lib/guests"
[boot]
esps = []
kernel_parameters = []
"""


@dataclass
class Node:
    """One machine. number: 1 to 99; lab: namespace prefix; folder: its files; lower: the tree."""

    number: int
    lab: str
    switch: Switch
    folder: Path
    lower: Sequence[Path]
    cgroups: Path
    _init: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def name(self) -> str:
        """Its host name."""
        return f"node{self.number}"

    @property
    def namespace(self) -> str:
        """Its network namespace."""
        return f"{self.lab}n{self.number}"

    @property
    def root(self) -> Path:
        """Its root, as the laboratory sees it."""
        return self.folder / "root"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its addresses, by link."""
        return self.switch.addresses(self.number)

    def install(self) -> None:
        """A blank machine, installed: nothing of an earlier life is left."""
        for name in ("root", "upper", "work"):
            (self.folder / name).mkdir(parents=True)
        lower = ":".join(map(str, self.lower))
        options = (
            f"lowerdir={lower},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        )
        run(["mount", "-t", "overlay", "-o", options, "overlay", self.root])
        (self.root / "etc/hostname").write_text(f"{self.name}\n")
        digest = hashlib.md5(f"{self.lab}{self.number}".encode()).hexdigest()
        (self.root / "etc/machine-id").write_text(f"{digest}\n")
        lines = ["127.0.0.1 localhost", f"{self.addresses[0]} {self.name}"]
        (self.root / "etc/hosts").write_text("\n".join(lines) + "\n")
        (self.root / "etc/slipway").mkdir(exist_ok=True)
        (self.root / "etc/slipway/node.toml").write_text(NODE_TOML.format(name=self.name))

    def boot(self) -> None:
        """Power on, and wait until systemd has started."""
        if not Path(f"/run/netns/{self.namespace}").exists():
            self.switch.plug(self.namespace, self.number)
        group = self.cgroups / self.name
        group.mkdir(exist_ok=True)
        argv = ["ip", "netns", "exec", self.namespace]
        argv += ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc"]
        argv += ["--cgroup", sys.executable, str(START), str(self.root), self.name]
        log = open(self.folder / "console.log", "ab")

        def enter() -> None:
            (group / "cgroup.procs").write_text(str(os.getpid()))

        self._init = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=enter,
            start_new_session=True,
        )
        log.close()
        until(self._booted, BOOT_SECONDS, "systemd to have started", where=self.name)

    def power_off(self) -> None:
        """Pull the plug."""
        if self._init is None:
            return
        os.kill(self._pid(), signal.SIGKILL)
        self._init.wait(timeout=30)
        self._init = None

    def remove(self) -> None:
        """Power off, and throw the machine away."""
        self.power_off()
        run(["umount", self.root], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        run(["ip", "netns", "del", self.namespace], check=False)

    def run(
        self,
        argv: Sequence[str],
        *,
        check: bool = True,
        input: str | None = None,
        timeout: float = 300,
    ) -> Result:
        """Run a program in the node."""
        return run(self.enter(argv), check=check, input=input, timeout=timeout)

    def start(self, argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a program in the node, and go on."""
        with open(log, "ab") as stream:
            return subprocess.Popen(self.enter(argv), stdout=stream, stderr=stream)

    def enter(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs a program in the node."""
        pid = self._pid()
        spaces = ["--target", str(pid), "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup"]
        places = [f"--root=/proc/{pid}/root", f"--wd=/proc/{pid}/root/root"]
        clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"]
        return ["nsenter", *spaces, *places, *clean, *argv]

    def _pid(self) -> int:
        """The process id of the node's systemd."""
        assert self._init is not None, f"{self.name} is off"
        children = Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children")
        return int(children.read_text().split()[0])

    def _booted(self) -> bool | None:
        assert self._init is not None
        assert self._init.poll() is None, (self.folder / "console.log").read_text()[-3000:]
        try:
            argv = ["systemctl", "is-system-running"]
            state = self.run(argv, check=False, timeout=30).stdout.strip()
        except (IndexError, OSError):
            return None
        return state in ("running", "degraded") or None
