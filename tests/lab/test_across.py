"""A home cluster from start to end: shared and local disks, HA, migration, replication, power cuts.

Three nodes with a pool of ZFS and a watchdog, a server of NFS and SMB, and three virtual machines,
one for each kind of storage. The tests are steps: each begins where the one before it has ended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cockpit import Cockpit, browsing
from tests.lab import storage_servers as servers
from tests.lab.answers import PASSWORD
from tests.lab.conftest import LAB, empty_folder
from tests.lab.fleet import MEMBER_LIMIT, Member, link_address
from tests.lab.guests import Guests
from tests.lab.install import WEB_PORT
from tests.lab.lease import watched
from tests.lab.takeover import shares
from tests.lab.tiny_guest import COMMAND_LINE, LEASE
from tests.lab.tryout_fleet import SETTLED_LIMIT, complete

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

# Seconds of the machines' own time: a definition at every member; a guest that moved or started.
KNOWN_LIMIT = 450.0
MOVED_LIMIT = 600.0
COMMAND_LIMIT = 600.0
ADDRESS = link_address(100)
DISKS = {
    "zfs": "pool=tank,size=0.0625",
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
    """The members by name; nas: the folder of the NFS server.

    What was measured is kept in out/lab/across/seconds.json, in the machines' own time.
    """

    members: dict[str, Member]
    nas: Path
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
        begin = self.clock()
        self.members[seen_from].until(
            lambda: self.place(seen_from, name) == node or None,
            MOVED_LIMIT,
            f"{name} to run on {node}",
        )
        return self.clock() - begin

    def wait_for_all(self, seen_from: str) -> None:
        """Wait until all members are online, with HA."""
        what = "all members to be online"
        self.members[seen_from].wait_for(complete(len(self.members)), MEMBER_LIMIT, what)

    def known(self, node: str, *names: str) -> None:
        """Wait until all members have the definitions of these machines and no others."""

        def current() -> bool | None:
            rows = self.said(node, "guest", "list", "--cluster")["guests"]
            return {row["name"] for row in rows} == set(names) or None

        seen = self.members[node]
        seen.until(current, KNOWN_LIMIT, f"{names} to be known")
        seen.wait_for(lambda state: not state["guests"]["stale"], KNOWN_LIMIT, "current copies")

    @contextmanager
    def page(self, node: str) -> Iterator[Cockpit]:
        """The cluster's page at a node, signed in as root."""
        port = self.members[node].machine.spec.forwarded(WEB_PORT)
        with browsing("localhost", LAB / "across", port) as opened:
            opened.sign_in(password=PASSWORD)
            yield opened

    @property
    def slowness(self) -> int:
        return self.members["node1"].installed.spec.slowness

    def inside(self, seconds: float) -> float:
        """Seconds around the machines, as seconds of their own time."""
        return seconds / self.slowness

    def clock(self) -> float:
        """Seconds of the machines' time, from any moment on."""
        return self.inside(time.monotonic())

    def moment(self, node: str) -> float:
        """Now, by a node's clock, in seconds since 1970."""
        return float(self.members[node].ssh.output("date", "+%s.%N"))

    def measured(self, what: str, seconds: float) -> None:
        self.seconds[what] = round(seconds, 1)
        path = LAB / "across/seconds.json"
        path.write_text(json.dumps(self.seconds, indent=2) + "\n")


@pytest.fixture(scope="module")
def home(members: tuple[Member, ...], guest_initrd: Path) -> Iterator[Home]:
    """Step 1: three nodes have installed themselves, form a cluster with HA, and there is a NAS."""
    folder = empty_folder("across")
    with ExitStack() as stack:
        nas = stack.enter_context(servers.nfs(folder / "nfs", members[0].installed.spec.dilation))
        stack.enter_context(servers.smb(folder / "smb"))
        for member in members:
            member.wait_for(complete(len(members)), SETTLED_LIMIT, "a whole cluster with HA")
            Guests(member.ssh).prepare(guest_initrd)
        yield Home({member.name: member for member in members}, nas)


def test_2_storages_on_every_node(home: Home) -> None:
    nfs = ("--server", servers.ADDRESS, "--export", servers.EXPORT, "--version", "4.2")
    smb = ["slipway", "storage", "add", "smb", "share", "--server", servers.ADDRESS]
    smb += ["--share", servers.SHARE, "--username", servers.ACCOUNT, "--secret-file", "-"]
    for node, member in home.members.items():
        home.slipway(node, "storage", "add", "nfs", "nas", *nfs)
        member.ssh.run(smb, input=servers.PASSWORD, limit=COMMAND_LIMIT)
        home.slipway(node, "storage", "add", "directory", "backup", "--path", "/srv/backup")
        pools = home.guests(node).virsh("pool-list", "--name").split()
        assert {"nas", "share", "backup", "local", "tank"} <= set(pools)


def test_3_a_machine_on_each_kind_of_storage(home: Home) -> None:
    for name, disk in DISKS.items():
        home.guests("node1").create(name, disk, network="bridge=vmbr1")
        home.guests("node1").write(name, f"{name}-1")
    home.known("node3", *DISKS)


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

    home.members["node3"].until(replicated, KNOWN_LIMIT, "replicas on both nodes")
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


def test_7_node2_is_switched_off(home: Home) -> None:
    """Its guests start elsewhere, and the cluster's address moves."""
    home.slipway("node1", "cluster", "address", "set", f"{ADDRESS}/24")
    prefers = ["pcs", "constraint", "location", "slipway-address", "prefers", "node2"]
    home.members["node1"].ssh.run(prefers, limit=COMMAND_LIMIT)
    _wait_for_address(home, {"node2"})
    begin, moment = home.clock(), home.moment("node1")
    home.members["node2"].pull_power()
    for name, node in (("nfs", "node1"), ("smb", "node3")):
        home.wait_for_place("node1", name, node)
        home.measured(f"{name} again after power loss", home.clock() - begin)
        home.guests(node).wait_for(name)
        assert home.guests(node).read(name) == f"{name}-1"
        home.guests(node).run(name, "mark=alive")
    for what, seconds in shares(home.members["node1"].ssh, "node2", "vm-nfs", moment).items():
        home.measured(f"nfs after power loss: {what}", seconds)
    _wait_for_address(home, {"node1", "node3"})
    look = ["curl", "--silent", "--insecure", "--output", "/dev/null", f"https://{ADDRESS}:9090/"]
    home.members["node3"].ssh.run(look, limit=COMMAND_LIMIT)


def test_7_node2_returns(home: Home) -> None:
    """Its guests go back to it, without an interruption."""
    home.members["node2"].switch_on()
    begin = home.clock()
    home.wait_for_all("node1")
    home.measured("node2 is back", home.clock() - begin)
    for name in ("nfs", "smb"):
        home.wait_for_place("node1", name, "node2")
        assert home.guests("node2").run(name, "echo $mark") == "alive"


def test_8_the_node_with_the_zfs_machine_is_switched_off(home: Home) -> None:
    """What was written before the last replication is there, what was written after it is not."""

    def timer() -> bool | None:
        argv = ["systemctl", "is-active", "slipway-replicate-vm-zfs.timer"]
        return home.members["node3"].ssh.run(argv, check=False).status == 0 or None

    home.members["node3"].until(timer, KNOWN_LIMIT, "the timer of replication")
    home.guests("node3").write("zfs", "before")
    home.slipway("node3", "replicate", "run", "zfs")
    home.guests("node3").write("zfs", "after")
    limit = KNOWN_LIMIT * home.slowness
    with home.page("node1") as page:
        page.shows("node-node3", "online", limit)
        page.shows("machine-zfs", "node3", limit)
        home.members["node3"].pull_power()
        begin = home.clock()
        page.shows("node-node3", "offline", limit)
        home.measured("page: a dead node is offline", home.clock() - begin)
        home.wait_for_place("node1", "zfs", "node1")
        home.measured("zfs again from its replica", home.clock() - begin)
        page.shows("machine-zfs", "node1", limit)
        page.shows("problems", "node3 is offline")
        page.screenshot("node-died")
        assert page.complaints() == []
    home.guests("node1").wait_for("zfs")
    assert home.guests("node1").read("zfs") == "before"
    home.members["node3"].switch_on()
    home.wait_for_all("node1")
    # Its disk lost what came after the last replica, and it goes back as it was told to.
    home.wait_for_place("node1", "zfs", "node3")
    assert home.guests("node3").read("zfs") == "before"


def test_9_never_two_writers(home: Home) -> None:
    """A node that is cut off resets itself before its guest starts on another one."""
    disk = "pool=nas,size=0.0078125,format=raw,cache=none"
    network = "bridge=vmbr1"
    home.guests("node2").create("lease", disk, network=network, arguments=COMMAND_LINE + LEASE)
    home.slipway("node1", "ha", "group", "add", "lease", "node2=300", "node1=200", "node3=100")
    home.known("node2", *DISKS, "lease")
    home.slipway("node2", "ha", "add", "lease", "--group", "lease")
    home.wait_for_place("node2", "lease", "node2")
    alone = home.members["node2"]
    with watched(home.nas / "lease") as lease:
        alone.until(lambda: len(lease.writers) == 1 or None, MOVED_LIMIT, "a lease")
        alone.plug_links(plugged=False)
        alone.wait_for_reset()
        reset = time.monotonic()
        home.wait_for_place("node1", "lease", "node1")
        home.members["node1"].until(
            lambda: len(lease.writers) == 2 or None, MOVED_LIMIT, "a second writer"
        )
        alone.plug_links(plugged=True)
        home.wait_for_all("node1")
    before, after = lease.writers.values()
    home.measured("lease: one write each", home.inside(reset - before.first) / before.number)
    silent = home.inside(reset - before.last)
    home.measured("lease: last write of the node cut off, before its reset", silent)
    home.measured("lease: without a writer", home.inside(after.first - before.last))
    assert before.last <= reset < after.first
    home.slipway("node1", "ha", "remove", "lease")
    home.guests("node1").remove(["lease"])


def test_cold_start_of_all(home: Home) -> None:
    """After a power cut of the whole cluster every guest under HA runs where it should."""
    for member in home.members.values():
        member.pull_power()
    begin = home.clock()
    for member in home.members.values():
        member.switch_on()
    home.wait_for_all("node1")
    home.measured("cold start: all members", home.clock() - begin)
    for name, node in (("nfs", "node2"), ("smb", "node2"), ("zfs", "node3")):
        home.wait_for_place("node1", name, node)
        home.guests(node).wait_for(name)
    home.measured("cold start: all guests", home.clock() - begin)
    assert home.guests("node3").read("zfs") == "before"


def _wait_for_address(home: Home, nodes: set[str]) -> None:
    def there() -> bool | None:
        return home.said("node1", "cluster", "address", "show")["node"] in nodes or None

    home.members["node1"].until(there, MOVED_LIMIT, f"the address to be at {nodes}")
