"""The life of a container on one storage, from its template to its removal."""

from __future__ import annotations

from tests.lab.containers import LIMITS, Containers
from tests.lab.host import Host


def lives(host: Host, kind: str, storage: str = "") -> None:
    """Make, limit, snapshot, roll back, clone and remove a container; nothing of it is left.

    kind: of the storage, for the seconds that are noted; storage: an extra pool, or none.
    """
    containers = Containers(host.ssh, storage)
    before = containers.disks()
    with host.timed(f"{kind}: create"):
        containers.create("one", *LIMITS)
    with host.timed(f"{kind}: start"):
        containers.slipway("start", "one")
    with host.timed(f"{kind}: address"):
        address = containers.wait_for_address("one")
    _check_limits(containers)
    _check_snapshots(host, kind, containers)
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
        containers.discard(name)
    assert containers.disks() == before


def _check_limits(containers: Containers) -> None:
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
    # Random, because ZFS and btrfs make little of zeros; the same again and again, because it is
    # made slowly.
    fills = "head -c 1M /dev/urandom >/root/part; for n in $(seq 400); do cat /root/part || exit 1;"
    fills += " done >/root/big"
    full = containers.inside("one", "sh", "-c", fills, check=False)
    assert full.status != 0
    assert "No space left" in full.stderr or "quota exceeded" in full.stderr
    containers.inside("one", "rm", "/root/big", "/root/part")


def _check_snapshots(host: Host, kind: str, containers: Containers) -> None:
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
