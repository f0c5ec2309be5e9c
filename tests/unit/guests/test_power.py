"""Guests of a node: which there are, what starts and stops them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import hypervisor
from agent.core.errors import SlipwayError
from agent.guests import look, power
from agent.guests.model import Guest
from agent.hypervisor import Machine, Pool
from agent.storages.fill import sizes

libvirt = pytest.importorskip("libvirt")
URI = "test:///default"


@pytest.fixture
def libvirtd() -> Iterator[Any]:
    """The test driver forgets everything with its last connection."""
    connection = libvirt.open(URI)
    yield connection
    connection.close()


def test_machines_as_libvirt_has_them(libvirtd: Any) -> None:
    (machine,) = hypervisor.machines(URI)
    assert (machine.name, machine.state, machine.cores) == ("test", "running", 2)
    assert look.of_machine(machine).memory_bytes == 8 << 30
    domain = libvirtd.lookupByName("test")
    domain.suspend()
    assert hypervisor.machines(URI)[0].state == "paused"
    domain.destroy()
    assert hypervisor.machines(URI)[0].state == "stopped"


def test_pools_and_how_full_they_are(libvirtd: Any, tmp_path: Path) -> None:
    (pool,) = hypervisor.pools_in_full(URI)
    assert (pool.name, pool.kind, pool.active) == ("default-pool", "dir", True)
    here = Pool("local", "dir", True, str(tmp_path), 0, 0)
    capacity, used = sizes(here)
    assert 0 < used < capacity
    assert sizes(Pool("san", "logical", True, "", 100, 40)) == (100, 60)


def test_a_container() -> None:
    values = {
        "lxc.cgroup2.memory.max": ("536870912",),
        "lxc.cgroup2.cpu.max": ("150000 100000",),
        "lxc.start.auto": ("1",),
    }
    assert look.of_container("db", "running", values, ("192.0.2.7",)) == Guest(
        kind="container",
        name="db",
        state="running",
        cores=1.5,
        memory_bytes=512 << 20,
        start_at_boot=True,
        addresses=("192.0.2.7",),
    )
    unlimited = look.of_container("db", "stopped", {"lxc.cgroup2.cpu.max": ("max 100000",)}, ())
    assert (unlimited.cores, unlimited.memory_bytes, unlimited.start_at_boot) == (0, 0, False)


@pytest.mark.parametrize(
    ("arguments", "force", "line"),
    [
        (
            ("start", "machine", "web", ""),
            False,
            "virsh --connect qemu:///system start --domain web",
        ),
        (
            ("stop", "machine", "web", ""),
            False,
            "virsh --connect qemu:///system shutdown --domain web",
        ),
        (
            ("stop", "machine", "web", ""),
            True,
            "virsh --connect qemu:///system destroy --domain web",
        ),
        (("stop", "container", "web", ""), True, "lxc-stop --name web --kill"),
        (("start", "machine", "web", "web-ha"), False, "pcs resource enable web-ha"),
        (("stop", "container", "elsewhere", "e"), False, "pcs resource disable e"),
    ],
)
def test_what_starts_and_stops_a_guest(
    arguments: tuple[Any, Any, str, str], force: bool, line: str
) -> None:
    (command,) = power.plan(*arguments, ["web"], force=force)
    assert str(command) == line


def test_a_container_that_must_not_start_here_says_why_before_lxc_is_asked() -> None:
    ask, start = map(str, power.plan("start", "container", "web", "", ["web"]))
    assert ask == "slipway guest may-start container web --from /var/lib/lxc/web/config"
    assert start.startswith("lxc-start --name web ")


def test_a_guest_of_another_node_and_one_that_ha_would_start_again() -> None:
    with pytest.raises(SlipwayError, match="no machine web on this node"):
        power.plan("start", "machine", "web", "", [])
    with pytest.raises(SlipwayError, match="under HA"):
        power.plan("stop", "machine", "web", "web", [], force=True)


def test_a_state_that_libvirt_does_not_name() -> None:
    machine = Machine("web", "other", 1, 1024, autostart=True)
    assert look.of_machine(machine).state == "other"
