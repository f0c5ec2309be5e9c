"""Containers on an LVM thin pool, on ZFS and on btrfs; templates from the medium and a server."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.lab.answers import answer
from tests.lab.arguments import Accelerator
from tests.lab.conftest import RunningNode, empty_folder
from tests.lab.containers import COMMAND_LIMIT, TEMPLATE, Containers
from tests.lab.install import LOGIN_LIMIT, InstalledNode, install, node_spec, wait_until_ready
from tests.lab.layouts import LAYOUTS
from tests.lab.machine import Machine
from tests.lab.ssh import Key
from tests.lab.wait import until
from tests.unit.answers.servers import make_certificate
from tests.unit.templates.server import serving

pytestmark = pytest.mark.lab

LIMITS = ("--memory", "128M", "--cores", "0.5", "--disk", "400M")
# Where a machine finds this host's loopback address.
HOST = "10.0.2.2"
# By the pools of the layout "data-pools"; the first is where guests live by default.
STORAGES = {"lvm-thin": "", "zfs": "tank", "btrfs": "bulk"}


# The laboratory gives the container the node's own address: not in CI until it does not.
@pytest.mark.matrix
@pytest.mark.parametrize("installed", ["bios"], indirect=True)
def test_a_container_from_the_mediums_template(node: RunningNode) -> None:
    """Nothing was fetched: the template came with the installation."""
    containers = Containers(node.ssh)
    assert TEMPLATE in node.ssh.output("slipway", "template", "list")
    containers.create("web", *LIMITS)
    containers.slipway("start", "web")
    assert containers.inside("web", "hostname").stdout.strip() == "web"
    assert containers.wait_for_address("web")
    pid = node.ssh.output("lxc-info", "--name", "web", "--pid", "--no-humanize")
    assert node.ssh.output("stat", "-c", "%u", f"/proc/{pid}") == "1000000000"
    containers.slipway("stop", "web", "--force")
    containers.slipway("remove", "web")
    assert containers.disks() == set()


@pytest.mark.parametrize("installed", ["bios"], indirect=True)
def test_the_manual_and_completion(node: RunningNode) -> None:
    assert "slipway container create" in node.ssh.output("man", "slipway-container")
    said = node.ssh.run(["man", "--warnings", "slipway"]).stderr
    assert said == ""
    script = "source /usr/share/bash-completion/completions/slipway && complete -p slipway"
    assert "_python_argcomplete" in node.ssh.output("bash", "-c", script)


@dataclass
class Host:
    """A node with three kinds of storage; what a step takes is noted in seconds.json."""

    node: InstalledNode
    machine: Machine
    logs: Path
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self.seconds[step] = round(time.monotonic() - begin, 1)
        (self.logs / "seconds.json").write_text(json.dumps(self.seconds, indent=2) + "\n")


@pytest.fixture(scope="module")
def host(built_iso: Path, accelerator: Accelerator, key: Key) -> Iterator[Host]:
    """Installed with an answer that wants a template from this host, and one that nobody has."""
    logs = empty_folder("containers")
    layout = LAYOUTS["data-pools"]
    certificate = logs / "server.pem"
    make_certificate(certificate, HOST)
    with serving(certificate) as server:
        content = b"a template" * 100_000
        server.content["t/tiny/1/amd64.tar.gz"] = content
        digest = hashlib.sha256(content).hexdigest()
        server.content["t/SHA256SUMS"] = f"{digest}  tiny/1/amd64.tar.gz\n".encode()
        url = server.address.replace("localhost", HOST)
        own = {"kind": "directory", "ca": Path(f"{certificate}.crt").read_text()}
        sources = [
            {"name": "gone", "url": f"https://{HOST}:1/", **own},
            {"name": "own", "url": f"{url}/t", **own},
        ]
        wanted = answer(layout, key.public)
        names = [TEMPLATE, "tiny/1/amd64", "missing/1/amd64"]
        wanted["templates"] = {"fetch": names, "sources": sources}
        spec = node_spec("containers", "bios", layout)
        node, _ = install(spec, wanted, built_iso, key, accelerator, logs)
        with node.boot(logs / "boot") as machine:
            wait_until_ready(machine)
            node.ssh.wait_until_up(LOGIN_LIMIT)
            yield Host(node, machine, logs)


@pytest.mark.matrix
def test_templates_of_the_answer(host: Host) -> None:
    """The one is fetched, the other does not keep the node from being ready, and is named."""
    ssh = host.node.ssh

    def fetched() -> str | None:
        listed = ssh.output("slipway", "template", "list")
        return listed if "tiny/1/amd64" in listed else None

    assert TEMPLATE in until(fetched, 300, "the template", where="node", interval=2)
    reached = json.loads(ssh.output("slipway", "status", "--json"))
    assert reached["ready"] is True
    assert "missing/1/amd64" in reached["steps"]["templates"]["reason"]
    said = ssh.run(["slipway", "template", "fetch", "missing/1/amd64"], check=False, limit=300)
    assert said.status == 1
    assert "gone: " in said.stderr and "own: has no such template" in said.stderr


@pytest.mark.matrix
@pytest.mark.parametrize("kind", STORAGES)
def test_containers_on_every_storage(host: Host, kind: str) -> None:
    containers = Containers(host.node.ssh, STORAGES[kind])
    before = containers.disks()
    with host.timed(f"{kind}: create"):
        containers.create("one", *LIMITS)
    with host.timed(f"{kind}: start"):
        containers.slipway("start", "one")
    with host.timed(f"{kind}: address"):
        address = containers.wait_for_address("one")
    check_limits(containers)
    check_snapshots(host, kind, containers)
    with host.timed(f"{kind}: linked clone"):
        containers.slipway("clone", "one", "linked", "--linked")
    with host.timed(f"{kind}: full clone"):
        containers.slipway("clone", "one", "full")
    machine_ids = {containers.inside("one", "cat", "/etc/machine-id").stdout}
    for name in ("linked", "full"):
        containers.slipway("start", name)
        assert containers.inside(name, "hostname").stdout.strip() == name
        assert containers.inside(name, "cat", "/root/kept").stdout == "kept"
        machine_ids.add(containers.inside(name, "cat", "/etc/machine-id").stdout)
        assert containers.wait_for_address(name) != address
    assert len(machine_ids) == 3
    for name in ("linked", "full", "one"):
        containers.slipway("stop", name, "--force")
        containers.slipway("remove", name)
    assert containers.disks() == before


def check_limits(containers: Containers) -> None:
    """Root inside is nobody outside; memory, processor and disk end where they were said to."""
    ssh = containers.ssh
    cgroup = "/sys/fs/cgroup/lxc.payload.one"
    assert ssh.output("cat", f"{cgroup}/memory.max") == str(128 << 20)
    assert ssh.output("cat", f"{cgroup}/cpu.max") == "50000 100000"
    pid = ssh.output("lxc-info", "--name", "one", "--pid", "--no-humanize")
    assert ssh.output("stat", "-c", "%u", f"/proc/{pid}") == "1000000000"
    eats = "head -c 300M /dev/zero | tail"
    assert containers.inside("one", "sh", "-c", eats, check=False).status != 0
    assert "oom_kill 0" not in ssh.output("cat", f"{cgroup}/memory.events")
    fills = "dd if=/dev/urandom of=/root/big bs=1M count=400"
    full = containers.inside("one", "sh", "-c", fills, check=False)
    assert full.status != 0
    assert "No space left" in full.stderr or "quota exceeded" in full.stderr
    containers.inside("one", "rm", "/root/big")


def check_snapshots(host: Host, kind: str, containers: Containers) -> None:
    containers.inside("one", "sh", "-c", "printf kept > /root/kept; sync")
    with host.timed(f"{kind}: snapshot"):
        containers.slipway("snapshot", "one", "before")
    containers.inside("one", "rm", "/root/kept")
    refused = containers.slipway("rollback", "one", "before", check=False)
    assert refused.status == 1 and "the container one runs" in refused.stderr
    with host.timed(f"{kind}: stop"):
        containers.slipway("stop", "one")
    with host.timed(f"{kind}: rollback"):
        containers.slipway("rollback", "one", "before")
    containers.slipway("start", "one")
    assert containers.inside("one", "cat", "/root/kept").stdout == "kept"
    assert containers.slipway("snapshot", "one").stdout.split() == ["before"]


@pytest.mark.matrix
@pytest.mark.parametrize("kind", STORAGES)
def test_a_failed_create_leaves_nothing(host: Host, kind: str) -> None:
    containers = Containers(host.node.ssh, STORAGES[kind])
    before = containers.disks()
    failed = containers.create("small", "--disk", "64M", check=False)
    assert failed.status == 1 and "ended with status" in failed.stderr
    assert containers.disks() == before


@pytest.mark.matrix
def test_containers_survive_a_power_cut(host: Host) -> None:
    """Those that were set to start with the node do; the other does not."""
    for kind, storage in STORAGES.items():
        Containers(host.node.ssh, storage).create(kind, *LIMITS, "--start-at-boot")
    containers = Containers(host.node.ssh)
    containers.create("idle", *LIMITS)
    for name in (*STORAGES, "idle"):
        containers.slipway("start", name)
    host.node.ssh.run(["sync"], limit=COMMAND_LIMIT)
    host.machine.stop()
    with host.node.boot(host.logs / "after") as machine:
        wait_until_ready(machine)
        host.node.ssh.wait_until_up(LOGIN_LIMIT)
        for name in STORAGES:
            assert containers.wait_for_address(name)
        assert containers.named("idle")["state"] == "STOPPED"
