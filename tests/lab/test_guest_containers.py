"""What people do with containers, on a node with LVM and on one with ZFS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.container_life import lives
from tests.lab.containers import LIMITS, Containers
from tests.lab.host import Host

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

PLACE = "/srv/backups"
MARK = "printf saved >/root/word; chown 7:8 /root/word; cp /bin/true /root/able"
# Seconds until a schedule of every minute has made two backups of all guests.
SCHEDULE_LIMIT = 600


@pytest.fixture
def saved(host: Host) -> Iterator[Containers]:
    """A container `saved` that runs, and an empty folder for backups."""
    containers = Containers(host.ssh)
    containers.create("saved", *LIMITS)
    containers.slipway("start", "saved")
    host.run("rm", "-rf", PLACE)
    host.run("mkdir", "-p", PLACE)
    yield containers
    containers.discard("saved")
    host.run("rm", "-rf", PLACE)


def test_the_life_of_a_container(host: Host) -> None:
    lives(host, "container")


def test_a_failed_create_leaves_nothing(host: Host) -> None:
    containers = Containers(host.ssh)
    before = containers.disks()
    failed = containers.create("small", "--disk", "64M", check=False)
    assert failed.status == 1 and "ended with status" in failed.stderr
    assert containers.disks() == before


def test_a_container_comes_back_from_a_backup(host: Host, saved: Containers) -> None:
    """It is backed up while it runs; owners and capabilities of files come back too."""
    saved.inside("saved", "sh", "-c", MARK)
    host.run("setcap", "-n", "1000000000", "cap_net_raw+ep", able(host))
    before = saved.disks()
    for number in range(3):
        saved.inside("saved", "sh", "-c", f"printf {number} >/root/number; sync")
        with host.timed("container: backup"):
            host.run("slipway", "backup", "run", "saved", "--to", PLACE, "--keep", "2", limit=600)
    assert saved.disks() == before
    times = host.run("ls", f"{PLACE}/container/saved").split()
    assert len(times) == 2
    assert saved.named("saved")["state"] == "RUNNING"
    saved.discard("saved")
    with host.timed("container: restore"):
        host.run("slipway", "backup", "restore", "saved", "--from", PLACE, limit=600)
    saved.slipway("start", "saved")
    said = saved.inside("saved", "stat", "-c", "%u:%g", "/root/word").stdout.strip()
    assert said == "7:8"
    assert saved.inside("saved", "cat", "/root/word").stdout == "saved"
    assert saved.inside("saved", "cat", "/root/number").stdout == "2"
    assert "cap_net_raw=ep [rootid=1000000000]" in host.run("getcap", "-n", able(host))
    assert saved.named("saved")["memory_bytes"] == 128 << 20


def test_a_backup_that_is_stopped_leaves_nothing(host: Host, saved: Containers) -> None:
    before = saved.disks()
    schedule = ("slipway", "backup", "schedule", "stopped")
    host.run(*schedule, "saved", "--to", PLACE, "--on", "2099-01-01")
    host.run("systemctl", "start", "--no-block", "slipway-backup-stopped.service")
    host.until(
        lambda: "container-saved_backup" in saved.disks() or None,
        300,
        "the copy that is archived",
        where="node",
    )
    host.run("systemctl", "stop", "slipway-backup-stopped.service", limit=300)
    host.run(*schedule, "--remove")
    assert saved.disks() == before
    assert host.run("ls", f"{PLACE}/container/saved") == ""


def able(host: Host) -> str:
    """Where the node finds a program of the container."""
    pid = host.run("lxc-info", "--name", "saved", "--pid", "--no-humanize")
    return f"/proc/{pid}/root/root/able"


def test_a_schedule_that_comes_due(host: Host, saved: Containers) -> None:
    """Every minute all guests, virtual machines and containers; one backup of each stays."""
    schedule = ("slipway", "backup", "schedule", "often")
    host.run(*schedule, "--to", PLACE, "--on", "*:0/1", "--keep", "1")
    seen: set[str] = set()

    def again() -> bool | None:
        lines = host.run("slipway", "backup", "list", "--from", PLACE).splitlines()
        seen.update(line.split()[1] for line in lines if line.endswith(" saved"))
        return len(seen) > 1 or None

    try:
        host.until(again, SCHEDULE_LIMIT, "two backups of the schedule", where="node", interval=5)
    finally:
        host.run(*schedule, "--remove")
        host.run("systemctl", "stop", "slipway-backup-often.service", limit=300)
    kinds = host.run("slipway", "backup", "list", "--from", PLACE).splitlines()
    assert sorted((line.split()[0], line.split()[2]) for line in kinds) == [
        ("container", "saved"),
        ("vm", "base"),
    ]
