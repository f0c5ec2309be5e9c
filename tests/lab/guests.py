"""Tiny guests on a node: made with virt-install, spoken to over their serial consoles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.ssh import Ssh
from tests.lab.tiny_guest import COMMAND_LINE
from tests.lab.wait import until

FOLDER = "/var/lib/libvirt/boot"
# Not in /run: guests start with the node, before anybody could make a folder there.
LOGS = "/var/log/guests"
# Seconds from a guest's start to its shell: nested in an emulated node on two busy cores.
BOOT_LIMIT = 600.0
# Runs a command on a guest's console: its output, and its status. The console stays open until
# there is an answer, because QEMU looks only now and then whether anybody is there.
CONSOLE = r"""
log=$0/$1.log
answers() { grep -ac '^status ' "$log"; }
before=$(answers)
lines=$(wc -l <"$log")
exec 3>"$(virsh ttyconsole "$1")"
printf '%s\n' "$2" >&3
for _ in $(seq 1500); do
    if [ "$(answers)" -gt "$before" ]; then
        tail -n "+$((lines + 1))" "$log" | tr -d '\r\0' | grep -avFx "$2" | grep -av '^status '
        exit "$(tr -d '\r\0' <"$log" | grep -a '^status ' | tail -n 1 | cut -d' ' -f2)"
    fi
    sleep 0.2
done
exit 99
"""


@dataclass(frozen=True)
class Guests:
    """The virtual machines of a node, by their names."""

    ssh: Ssh

    def prepare(self, initrd: Path) -> None:
        """Put the guests' kernel and initrd on the node."""
        self.ssh.run(["mkdir", "-p", FOLDER, LOGS])
        self.ssh.run(["sh", "-c", f"cp /boot/vmlinuz-* {FOLDER}/kernel"])
        self.ssh.copy(initrd, f"{FOLDER}/initrd")

    def create(
        self,
        name: str,
        disk: str,
        *options: str,
        network: str = "bridge=vmbr0",
        arguments: str = COMMAND_LINE,
    ) -> None:
        """Make a guest with virt-install and wait for its shell. arguments: of its kernel."""
        boot = f'kernel={FOLDER}/kernel,initrd={FOLDER}/initrd,kernel_args="{arguments}"'
        machine = ["--name", name, "--memory", "128", "--vcpus", "1", "--osinfo", "linux2022"]
        devices = ["--disk", disk, "--network", network, "--graphics", "none"]
        serial = ["--serial", f"pty,log.file={LOGS}/{name}.log"]
        self.forget_console(name)
        self.ssh.run(
            ["virt-install", *machine, "--import", *devices, *serial, "--boot", boot]
            + ["--noautoconsole", "--quiet", *options],
            limit=300,
        )
        self.wait_for(name)

    def start(self, name: str) -> None:
        """Start a guest and wait for its shell."""
        self.forget_console(name)
        self.virsh("start", name)
        self.wait_for(name)

    def wait_for(self, name: str) -> None:
        """Wait for the shell of a guest that was started. Raises LabTimeout."""
        asked = ["grep", "-aq", "guest is up", f"{LOGS}/{name}.log"]
        until(
            lambda: self.ssh.run(asked, check=False).status == 0 or None,
            BOOT_LIMIT * self.ssh.patience,
            "the guest's shell",
            where=name,
            interval=2,
        )

    def run(self, name: str, command: str) -> str:
        """What a command prints on the guest. Raises CommandFailed."""
        return self.ssh.run(["sh", "-c", CONSOLE, LOGS, name, command]).stdout.strip()

    def write(self, name: str, word: str) -> None:
        """Write a word at the start of the guest's disk."""
        self.run(name, f"echo {word} | dd of=/dev/vda bs=512 count=1 conv=sync; sync")

    def read(self, name: str) -> str:
        """The word at the start of the guest's disk, past its cache."""
        self.run(name, "echo 3 >/proc/sys/vm/drop_caches")
        return self.run(name, "dd if=/dev/vda bs=512 count=1").splitlines()[0]

    def virsh(self, *words: str, limit: float = 120) -> str:
        return self.ssh.run(["virsh", "--quiet", *words], limit=limit).stdout.strip()

    def forget_console(self, name: str) -> None:
        self.ssh.run(["rm", "-f", f"{LOGS}/{name}.log"])

    def remove(self, names: Sequence[str]) -> None:
        """Remove guests with their disks, whatever they do."""
        for name in names:
            self.ssh.run(["virsh", "destroy", name], check=False)
            everything = ("--remove-all-storage", "--snapshots-metadata", "--nvram")
            self.ssh.run(["virsh", "undefine", name, *everything], check=False)
