"""A home cluster from start to end: shared and local disks, HA, migration, replication, power cuts.

Three nodes on ZFS with a watchdog, a server of NFS and SMB, and three virtual machines, one for
each kind of storage. The tests are steps: each begins where the one before it has ended.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.lab import storage_servers as servers
from tests.lab.arguments import Accelerator
from tests.lab.conftest import empty_folder
from tests.lab.fleet import (
    MEMBER_LIMIT,
    Member,
    fleet_answers,
    fleet_specs,
    power_on,
    stop,
)
from tests.lab.guests import Guests
from tests.lab.layouts import LAYOUTS
from tests.lab.ssh import Key
from tests.lab.tryout_fleet import SETTLED_LIMIT, complete
from tests.lab.wait import until

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

COUNT = 3
LAYOUT = LAYOUTS["zfs-raid0"]
# Seconds, sized for emulation: a definition at every member; a guest that has moved or started.
KNOWN_LIMIT = 900.0
MOVED_LIMIT = 1800.0
COMMAND_LIMIT = 900.0
DISKS = {
    "zfs": "pool=local-zfs,size=0.0625",
    "nfs": "pool=nas,size=0.0625,format=qcow2",
    "smb": "pool=share,size=0.0625,format=qcow2",
}
# Each machine's group, the best node first; the shared ones run nowhere else.
GROUPS = {
    "zfs": ("node1=300", "node3=200", "node2=100"),
    "nfs": ("node2=200", "node1=100", "--restricted"),
    "smb": ("node2=200", "node3=100", "--restricted"),
}


@dataclass
class Home:
    """The members by name; what was measured is kept in out/lab/across/seconds.json."""

    members: dict[str, Member]
    seconds: dict[str, float] = field(default_factory=dict)

    def slipway(self, node: str, *words: str) -> str:
        return self.members[node].ssh.run(["slipway", *words], limit=COMMAND_LIMIT).stdout

    def said(self, node: str, *words: str) -> Any:
        return json.loads(self.slipway(node, *words, "--json"))

    def guests(self, node: str) -> Guests:
        return Guests(self.members[node].ssh)

    def running(self, node: str) -> list[str]:
        return self.guests(node).virsh("list", "--name").split()

    def place(self, seen_from: str, name: str) -> str | None:
        """Where a guest under HA runs."""
        rows = self.said(seen_from, "ha", "list")["guests"]
        row = next(each for each in rows if each["name"] == name)
        return str(row["node"]) if row["state"] == "started" else None

    def wait_for_place(self, seen_from: str, name: str, node: str) -> float:
        """Wait until a guest under HA runs there; gives the seconds that it took."""
        begin = time.monotonic()
        until(
            lambda: self.place(seen_from, name) == node or None,
            MOVED_LIMIT,
            f"{name} to run on {node}",
            where=seen_from,
            interval=2,
        )
        return time.monotonic() - begin

    def measured(self, what: str, seconds: float) -> None:
        self.seconds[what] = round(seconds, 1)
        path = Path("out/lab/across/seconds.json")
        path.write_text(json.dumps(self.seconds, indent=2) + "\n")


@pytest.fixture(scope="module")
def home(built_iso: Path, accelerator: Accelerator, key: Key, guest_initrd: Path) -> Iterator[Home]:
    """Step 1: three nodes install themselves, form a cluster with fencing, and there is a NAS."""
    folder = empty_folder("across")
    specs = fleet_specs(COUNT, "uefi", LAYOUT)
    answers = fleet_answers(COUNT, key.public, LAYOUT)
    with ExitStack() as stack:
        stack.enter_context(servers.nfs(folder / "nfs"))
        stack.enter_context(servers.smb(folder / "smb"))
        started = power_on(specs, answers, built_iso, key, accelerator, folder)
        made = {member.name: member for member in stack.enter_context(started)}
        for member in made.values():
            member.wait_for(complete(COUNT), SETTLED_LIMIT, "a whole cluster with HA")
            Guests(member.ssh).prepare(guest_initrd)
        yield Home(made)
    for spec in specs:
        shutil.rmtree(folder / spec.name / "disks", ignore_errors=True)


def test_2_storages_on_every_node(home: Home) -> None:
    nfs = ("--server", servers.ADDRESS, "--export", servers.EXPORT, "--version", "4.2")
    smb = ["slipway", "storage", "add", "smb", "share", "--server", servers.ADDRESS]
    smb += ["--share", servers.SHARE, "--username", servers.ACCOUNT, "--secret-file", "-"]
    for node, member in home.members.items():
        home.slipway(node, "storage", "add", "nfs", "nas", *nfs)
        member.ssh.run(smb, input=servers.PASSWORD, limit=COMMAND_LIMIT)
        home.slipway(node, "storage", "add", "directory", "backup", "--path", "/srv/backup")
        pools = home.guests(node).virsh("pool-list", "--name").split()
        assert {"nas", "share", "backup", "local", "local-zfs"} <= set(pools)


def test_3_a_machine_on_each_kind_of_storage(home: Home) -> None:
    for name, disk in DISKS.items():
        home.guests("node1").create(name, disk, network="bridge=vmbr1")
        home.guests("node1").write(name, f"{name}-1")

    def known() -> bool | None:
        rows = home.said("node3", "guest", "list", "--cluster")["guests"]
        return {row["name"] for row in rows} == set(DISKS) or None

    until(known, KNOWN_LIMIT, "all members to know the machines", where="node3", interval=2)


def test_4_groups_with_priorities(home: Home) -> None:
    """Those with shared disks move to node2 by themselves, and are not interrupted."""
    for name, nodes in GROUPS.items():
        home.slipway("node1", "ha", "group", "add", name, *nodes)
    refused = home.members["node1"].ssh.run(
        ["slipway", "ha", "add", "zfs", "--group", "zfs"], check=False, limit=COMMAND_LIMIT
    )
    assert refused.status == 1 and "no replica on node2, node3" in refused.stderr
    for name in ("nfs", "smb"):
        home.guests("node1").run(name, "mark=alive")
        home.slipway("node1", "ha", "add", name, "--group", name, "--failback")
        home.measured(f"{name} moves to node2", home.wait_for_place("node3", name, "node2"))
        assert home.guests("node2").run(name, "echo $mark") == "alive"
        assert home.guests("node2").read(name) == f"{name}-1"


def test_6_replicas_of_the_disk_on_zfs(home: Home) -> None:
    """Before step 5: a disk of one node comes under HA only with its replicas."""
    home.slipway("node1", "replicate", "add", "zfs", "node2", "node3", "--every", "15m")

    def replicated() -> bool | None:
        rows = home.said("node3", "replicate", "list")["jobs"]
        done = {row["target"] for row in rows if row["last"] and not row["error"]}
        return done == {"node2", "node3"} or None

    until(replicated, KNOWN_LIMIT, "replicas on both nodes", where="node3", interval=5)
    for node in ("node2", "node3"):
        disks = home.members[node].ssh.output("zfs", "list", "-H", "-o", "name", "-t", "volume")
        assert any(line.endswith("/zfs") for line in disks.splitlines())
    home.slipway("node1", "replicate", "run", "zfs")
    home.slipway("node1", "ha", "add", "zfs", "--group", "zfs", "--failback")
    assert home.wait_for_place("node2", "zfs", "node1") < MOVED_LIMIT


def test_5_other_priorities_move_it_with_its_disk(home: Home) -> None:
    home.guests("node1").run("zfs", "mark=alive")
    home.slipway("node2", "ha", "group", "add", "zfs", "node3=300", "node1=200", "node2=100")
    home.measured("zfs moves to node3", home.wait_for_place("node2", "zfs", "node3"))
    assert home.guests("node3").run("zfs", "echo $mark") == "alive"
    assert home.guests("node3").read("zfs") == "zfs-1"


def test_7_node2_is_switched_off_and_returns(home: Home) -> None:
    lost = home.members["node2"]
    stop(lost.machine)
    begin = time.monotonic()
    for name, node in (("nfs", "node1"), ("smb", "node3")):
        home.wait_for_place("node1", name, node)
        home.measured(f"{name} again after power loss", time.monotonic() - begin)
        home.guests(node).wait_for(name)
        assert home.guests(node).read(name) == f"{name}-1"
        home.guests(node).run(name, "mark=alive")
    with lost.installed.boot(empty_folder("across-again")):
        member = home.members["node1"]
        member.wait_for(complete(COUNT), MEMBER_LIMIT, "node2 to come back by itself")
        for name in ("nfs", "smb"):
            home.wait_for_place("node1", name, "node2")
            assert home.guests("node2").run(name, "echo $mark") == "alive"
        step_8_the_node_with_the_zfs_machine_is_switched_off(home)


def step_8_the_node_with_the_zfs_machine_is_switched_off(home: Home) -> None:
    """What was written before the last replication is there, what was written after it is not."""

    def timer() -> bool | None:
        argv = ["systemctl", "is-active", "slipway-replicate-vm-zfs.timer"]
        return home.members["node3"].ssh.run(argv, check=False).status == 0 or None

    until(timer, KNOWN_LIMIT, "the timer of replication", where="node3", interval=2)
    home.guests("node3").write("zfs", "before")
    home.slipway("node3", "replicate", "run", "zfs")
    home.guests("node3").write("zfs", "after")
    stop(home.members["node3"].machine)
    begin = time.monotonic()
    home.wait_for_place("node1", "zfs", "node1")
    home.measured("zfs again from its replica", time.monotonic() - begin)
    home.guests("node1").wait_for("zfs")
    assert home.guests("node1").read("zfs") == "before"
