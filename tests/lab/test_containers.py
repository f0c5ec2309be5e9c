"""Containers on an LVM thin pool, on ZFS and on btrfs; templates from the medium and a server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.answers import answer
from tests.lab.arguments import Accelerator
from tests.lab.conftest import RunningNode, empty_folder
from tests.lab.container_life import lives
from tests.lab.containers import COMMAND_LIMIT, LIMITS, TEMPLATE, Containers
from tests.lab.host import Host
from tests.lab.install import LOGIN_LIMIT, install, node_spec, wait_until_ready, with_guests
from tests.lab.layouts import LAYOUTS
from tests.lab.ssh import Key
from tests.lab.wait import until
from tests.unit.answers.servers import make_certificate
from tests.unit.templates.server import serving

pytestmark = pytest.mark.lab

# Where a machine finds this host's loopback address.
HOST = "10.0.2.2"
# By the pools of the layout "data-pools"; the first is where guests live by default.
STORAGES = {"lvm-thin": "", "zfs": "tank", "btrfs": "bulk"}


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


def test_the_manual_and_completion(node: RunningNode) -> None:
    assert "slipway container create" in node.ssh.output("man", "slipway-container")
    said = node.ssh.run(["man", "--warnings", "slipway"]).stderr
    assert said == ""
    script = "source /usr/share/bash-completion/completions/slipway && complete -p slipway"
    assert "_python_argcomplete" in node.ssh.output("bash", "-c", script)


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
        spec = with_guests(node_spec("containers", "bios", layout))
        node, _ = install(spec, wanted, built_iso, key, accelerator, logs)
        with node.boot(logs / "boot") as machine:
            wait_until_ready(machine)
            node.ssh.wait_until_up(LOGIN_LIMIT)
            yield Host(node, machine, "data-pools", logs)


@pytest.mark.matrix
def test_templates_of_the_answer(host: Host) -> None:
    """The one is fetched, the other does not keep the node from being ready, and is named."""
    ssh = host.ssh

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
    lives(host, kind, STORAGES[kind])


@pytest.mark.matrix
def test_containers_survive_a_power_cut(host: Host) -> None:
    """Those that were set to start with the node do; the other does not."""
    for kind, storage in STORAGES.items():
        Containers(host.ssh, storage).create(kind, *LIMITS, "--start-at-boot")
    containers = Containers(host.ssh)
    containers.create("idle", *LIMITS)
    for name in (*STORAGES, "idle"):
        containers.slipway("start", name)
    host.run("sync", limit=COMMAND_LIMIT)
    host.cut_power()
    for name in STORAGES:
        assert containers.wait_for_address(name)
    assert containers.named("idle")["state"] == "STOPPED"
