"""The laboratory as a whole: nodes by number, and what every test does with them."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from agent.core.command import Result, run
from tests.cluster.network import Switch, switch
from tests.cluster.node import Node
from tests.cluster.tree import CACHE, TOP, shared_tree
from tests.lab.wait import until

DRIVER = Path(__file__).with_name("drive.py")
CREATE_SECONDS = 300.0
JOIN_SECONDS = 600.0


@dataclass
class Laboratory:
    """Nodes on a switch. folder: where their files are; logs: where what they said stays."""

    name: str
    switch: Switch
    folder: Path
    lower: Sequence[Path]
    cgroups: Path
    nodes: dict[int, Node] = field(default_factory=dict)

    def machine(self, number: int) -> Node:
        """A blank machine, installed and running."""
        node = Node(
            number, self.name, self.switch, self.folder / f"node{number}", self.lower, self.cgroups
        )
        node.install()
        shutil.copy(DRIVER, node.root / "root/drive.py")
        self.nodes[number] = node
        node.boot()
        return node

    def create(self, number: int = 1, kit: str = "") -> Node:
        """A machine that has created the cluster."""
        node = self.machine(number)
        argv = ["python3", "-I", "/root/drive.py", "lab", node.name, *node.addresses]
        node.run(argv, input=kit, timeout=CREATE_SECONDS)
        return node

    def token(self, member: Node, *arguments: str) -> str:
        """A token, made on a member."""
        return member.run(["slipway", "token", "create", *arguments]).stdout.strip()

    def join(self, node: Node, token: str) -> Result:
        """Join with a token, and wait for the end; the status may be any."""
        return node.run(join_command(node), input=f"{token}\n", check=False, timeout=JOIN_SECONDS)

    def start_join(self, node: Node, token: str) -> subprocess.Popen[bytes]:
        """Begin to join, and go on."""
        log = open(node.folder / "join.log", "ab")
        process = subprocess.Popen(
            node.enter(join_command(node)), stdin=subprocess.PIPE, stdout=log, stderr=log
        )
        log.close()
        assert process.stdin
        process.stdin.write(f"{token}\n".encode())
        process.stdin.close()
        return process

    def stop_join(self, node: Node, process: subprocess.Popen[bytes]) -> None:
        """End a join that goes on and on."""
        node.run(["pkill", "--full", "slipway join"])
        process.wait(timeout=60)

    def add(self, number: int, member: Node) -> Node:
        """One more member."""
        node = self.machine(number)
        done = self.join(node, self.token(member, "--node", node.name))
        assert done.status == 0, done.stdout + done.stderr
        return node


def join_command(node: Node) -> list[str]:
    """The command that joins over both links, with the token on standard input."""
    places = [word for address in node.addresses for word in ("--link", address)]
    return ["slipway", "join", *places]


def finish(process: subprocess.Popen[bytes], node: Node) -> None:
    """Wait for a join to end well."""
    status = process.wait(timeout=JOIN_SECONDS)
    assert status == 0, (node.folder / "join.log").read_text()


def online(member: Node) -> set[str]:
    """Who is online, as a member sees it."""
    xml = member.run(["crm_mon", "--output-as=xml", "--one-shot"], check=False).stdout
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return set()
    return {node.get("name", "") for node in root.iterfind("nodes/node[@online='true']")}


def wait_online(member: Node, names: set[str], seconds: float = 120.0) -> None:
    """Wait until exactly these are online."""
    what = f"{', '.join(sorted(names))} to be online"
    until(lambda: online(member) == names or None, seconds, what, where=member.name)


def configuration(node: Node) -> str:
    """corosync.conf, empty when there is none."""
    path = node.root / "etc/corosync/corosync.conf"
    return path.read_text() if path.exists() else ""


def node_ids(node: Node) -> list[int]:
    """The members' numbers in corosync.conf."""
    lines = (line.split() for line in configuration(node).splitlines())
    return [int(words[1]) for words in lines if words[:1] == ["nodeid:"]]


def leader(member: Node) -> str:
    """The designated controller."""
    return member.run(["crmadmin", "-D", "-q"]).stdout.split()[-1]


def why_not_quorate(member: Node) -> str | None:
    """None when a member has quorum now, else what it says."""
    said = member.run(["corosync-quorumtool", "-s"], check=False)
    return None if said.status == 0 else said.stdout + said.stderr


@contextmanager
def laboratory(name: str, *, ipv6: bool = False) -> Iterator[Laboratory]:
    """A laboratory with its own switch, while the context lasts; logs stay in out/cluster/."""
    folder = TOP / "out/cluster-lab" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cgroups = folder / "cgroup"
    cgroups.mkdir()
    run(["mount", "-t", "cgroup2", "cgroup2", cgroups])
    own = cgroups / f"slipway-{name}"
    own.mkdir(exist_ok=True)
    try:
        with (
            shared_tree(CACHE.parent / f"lab-{name}") as lower,
            switch(f"{name}sw", ipv6=ipv6) as bridges,
        ):
            lab = Laboratory(name, bridges, folder, lower, own)
            try:
                yield lab
            finally:
                for node in lab.nodes.values():
                    keep_log(node)
                    node.remove()
    finally:
        remove_groups(own)
        run(["umount", cgroups])
        shutil.rmtree(folder, ignore_errors=True)


def keep_log(node: Node) -> None:
    """Keep what a node's programs said, in out/cluster/."""
    kept = TOP / "out/cluster" / node.lab
    kept.mkdir(parents=True, exist_ok=True)
    folder = str(node.root / "var/log/journal")
    journal = ["journalctl", "--directory", folder, "--no-pager"]
    (kept / f"{node.name}.journal").write_text(run(journal, check=False).stdout)
    for name in ("console.log", "join.log"):
        if (node.folder / name).exists():
            shutil.copy(node.folder / name, kept / f"{node.name}.{name}")


def remove_groups(top: Path) -> None:
    """Remove a control group and all below it, once the last process is gone."""
    until(lambda: _removed(top), 30, "processes to end", where=str(top))


def _removed(top: Path) -> bool | None:
    try:
        for folder in sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True):
            folder.rmdir()
        top.rmdir()
    except OSError:
        return None
    return True


def record(**figures: object) -> None:
    """Keep measured figures beside the logs, one JSON line for each call."""
    path = TOP / "out/cluster/figures.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        stream.write(json.dumps({"at": int(time.time()), **figures}) + "\n")
