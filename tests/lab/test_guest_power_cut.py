"""A node with guests loses its power; the server of one of its storages is off when it starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import storage_servers as servers
from tests.lab.conftest import empty_folder
from tests.lab.containers import LIMITS, Containers
from tests.lab.host import Host

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

MACHINES = ("vm1", "vm2", "vm3")
# Fixed addresses in the machine's own network.
CONTAINERS = {"ct1": "10.0.2.51", "ct2": "10.0.2.52", "ct3": "10.0.2.53"}
SERVED = "served"
# Seconds until a server that answers again is used: asked every 15, on a slow machine.
RETURN_LIMIT = 180.0


@pytest.fixture
def containers(host: Host) -> Iterator[Containers]:
    """Guests that start with the node, and one container and one machine that do not (`base`)."""
    containers = Containers(host.ssh)
    for name in MACHINES:
        host.guests.create(name, "size=0.25")
        host.guests.write(name, name)
        host.guests.virsh("autostart", name)
    for name, address in CONTAINERS.items():
        network = ("--ip", f"{address}/24", "--gateway", servers.ADDRESS)
        containers.create(name, *LIMITS, *network, "--start-at-boot")
    containers.create("idle", *LIMITS)
    for name in (*CONTAINERS, "idle"):
        containers.slipway("start", name)
    yield containers
    host.guests.remove([*MACHINES, SERVED])
    for name in (*CONTAINERS, "idle"):
        containers.discard(name)
    host.guests.start("base")


def test_what_comes_back(host: Host, containers: Containers) -> None:
    folder = empty_folder(f"power-cut-{host.layout}")
    with servers.nfs(folder, host.node.spec.dilation):
        add = ("slipway", "storage", "add", "nfs", "nas")
        host.run(*add, "--server", servers.ADDRESS, "--export", servers.EXPORT)
        host.guests.create(SERVED, "pool=nas,size=0.25,format=qcow2")
        host.guests.write(SERVED, "far")
        host.guests.virsh("autostart", SERVED)
        for name in (*MACHINES, SERVED):
            host.guests.forget_console(name)
        host.run("sync", limit=300)
    with host.timed("power cut: ready without the storage"):
        host.cut_power()
    status = host.run("slipway", "status")
    assert ": ready" in status and "the storage nas is not in use" in status
    with host.timed("power cut: the guests after that"):
        check_that_they_run(host, containers)
    running = host.guests.virsh("list", "--name").split()
    assert sorted(running) == sorted(MACHINES)
    assert containers.named("idle")["state"] == "STOPPED"
    with servers.nfs(folder, host.node.spec.dilation):
        with host.timed("power cut: the storage when its server is back"):
            host.until(
                lambda: "nas" in host.guests.virsh("pool-list", "--name").split() or None,
                RETURN_LIMIT,
                "the storage",
                where="nas",
                interval=2,
            )
        host.guests.wait_for(SERVED)
        assert host.guests.read(SERVED) == "far"
        host.guests.remove([SERVED])
        host.run("slipway", "storage", "remove", "nas")


def check_that_they_run(host: Host, containers: Containers) -> None:
    for name in MACHINES:
        host.guests.wait_for(name)
        assert host.guests.read(name) == name
    for name, address in CONTAINERS.items():
        assert containers.wait_for_address(name) == address
        assert containers.inside(name, "hostname").stdout.strip() == name
