"""A machine to install by hand, without one: what the session would do to it is only noted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agent.core.errors import SlipwayError
from installer.inventory.model import Inventory
from installer.session.machine import Machine
from installer.session.protocol import Access
from tests.unit.network.machines import lease, nic
from tests.unit.storage.machines import content, disk, machine

HASH = "$6$salt$hash"
PASSWORD = "correct horse"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ admin@example.com"


def inventory(**changes: Any) -> Inventory:
    """Two empty disks, one with data, one NIC with a lease and one without a cable."""
    found = {
        "interfaces": (nic(1, speed_mbit=1000), nic(2, link_up=False)),
        "leases": (lease(1, domain="lab.example.org"),),
        "cpu_virtualization": True,
        "cpu_model": "QEMU Virtual CPU",
        "dmi": {"sys_vendor": "QEMU", "product_name": "Standard PC"},
    }
    disks = (
        disk("sda"),
        disk("sdb"),
        disk("sdc", contents=(content("/dev/sdc1", "ext4", label="precious"),)),
    )
    return machine(*disks).model_copy(update=found | changes)


@dataclass
class FakeMachine(Machine):
    """done: what was asked for, in order; broken: what fails."""

    found: Inventory = field(default_factory=inventory)
    done: list[str] = field(default_factory=list)
    broken: str = ""

    def _note(self, what: str) -> None:
        self.done.append(what)
        if what.partition(" ")[0] == self.broken:
            raise SlipwayError(f"{what} does not work")

    def probe(self) -> Inventory:
        return self.found

    def fingerprint(self) -> object:
        return self.found

    def keep_consoles_quiet(self) -> None:
        self._note("quiet")

    def set_keyboard(self, code: str) -> None:
        self._note(f"keyboard {code}")

    def hash_password(self, password: str) -> str:
        return HASH

    def open_ssh(self) -> Access:
        self._note("ssh")
        return Access(user="root", password="abcd efgh")

    def public_keys(self, source: str) -> list[str]:
        self._note(f"keys {source}")
        return [KEY]

    def sticks(self) -> list[str]:
        return ["/dev/sdz1"]

    def save(self, device: str, name: str, content: bytes) -> None:
        self._note(f"save {name} to {device}")

    def send(self, url: str, document: dict[str, object]) -> None:
        self._note(f"send {url}")

    def leave(self, mode: str) -> None:
        self._note(f"leave {mode}")
