"""Guests across nodes: HA with groups, migration, and SSH for replication. Real Pacemaker, libvirt
and sshd on three members.

Guests are machines that QEMU emulates, without a system in them. What a namespace lacks is made up
for: sbd runs without a device, a folder says that there is a watchdog, and a power cut takes the
place of its reset. There is no ZFS, so syncoid is not run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.laboratory import Laboratory, record, wait_online
from tests.cluster.node import Node
from tests.lab.wait import until

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

Members = tuple[Node, Node, Node]
DOMAIN = """<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>{disk}</devices>
</domain>
"""
FILE = "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>{}</disk>".format(
    "<source file='/var/lib/libvirt/images/mail.qcow2'/><target dev='vda' bus='virtio'/>"
)
VOLUME = "<disk type='block' device='disk'>{}</disk>".format(
    "<source dev='/dev/zvol/tank/db'/><target dev='vda' bus='virtio'/>"
)
# A node that sbd would reset is counted as reset after so long.
WATCHDOG_SECONDS, FENCING_SECONDS = 5, 10
MOVED_SECONDS = 300.0


def add_watchdog(node: Node) -> None:
    """Say that there is a watchdog; sbd itself is told to use none."""
    node.run(["mount", "-t", "tmpfs", "watchdog", "/sys/class/watchdog"])
    node.run(["mkdir", "/sys/class/watchdog/watchdog0"])
    node.run(["tee", "/sys/class/watchdog/watchdog0/identity"], input="laboratory\n")


def define(node: Node, name: str, disk: str = "") -> None:
    node.run(["virsh", "define", "/dev/stdin"], input=DOMAIN.format(name=name, disk=disk))


def said(node: Node, *argv: str) -> Any:
    """What a command says with --json."""
    return json.loads(node.run(["slipway", *argv, "--json"]).stdout)


def refused(node: Node, *argv: str) -> str:
    """Why a command is refused."""
    done = node.run(["slipway", *argv], check=False)
    assert done.status == 1, done.stdout
    return done.stderr


def running(node: Node) -> list[str]:
    return node.run(["virsh", "list", "--name"], check=False).stdout.split()


def defined(node: Node) -> list[str]:
    return node.run(["virsh", "list", "--name", "--persistent", "--all"]).stdout.split()


def owner(node: Node, name: str) -> str:
    """The member that a guest belongs to."""
    rows = said(node, "guest", "list", "--cluster")["guests"]
    return next((row["node"] for row in rows if row["name"] == name), "")


def wait_for_owner(node: Node, name: str, wanted: str) -> None:
    what = f"{name} to belong to {wanted}"
    until(lambda: owner(node, name) == wanted or None, MOVED_SECONDS, what, where=node.name)


def wait_for_ha(node: Node, name: str, place: str) -> None:
    """Wait until a guest under HA runs there, and nowhere else."""

    def there() -> bool | None:
        guests = said(node, "ha", "list")["guests"]
        row = next(each for each in guests if each["name"] == name)
        return (row["node"], row["state"]) == (place, "started") or None

    until(there, MOVED_SECONDS, f"{name} to run on {place}", where=node.name)


@pytest.fixture(scope="module")
def members(lab: Laboratory) -> Iterator[Members]:
    """Three members with libvirt and a storage for disks."""
    first = lab.create(1)
    made = (first, lab.add(2, first), lab.add(3, first))
    for node in made:
        # All have the UUID of one mainboard, and libvirt migrates nothing to its own machine.
        settings = node.root / "etc/libvirt/libvirtd.conf"
        settings.write_text(settings.read_text() + 'host_uuid_source = "machine-id"\n')
        node.run(["systemctl", "enable", "--now", "libvirtd.service"])
        pool = ["virsh", "pool-define-as", "local", "dir", "--target", "/var/lib/libvirt/images"]
        node.run(pool)
        node.run(["virsh", "pool-start", "local"])
        node.run(["virsh", "pool-autostart", "local"])
    wait_online(first, {node.name for node in made})
    define(first, "web")
    wait_for_owner(made[2], "web", "node1")
    first.run(["virsh", "start", "web"])
    yield made


def switch_fencing_on(members: Members) -> None:
    """As `slipway ha enable` does it, without a device."""
    first = members[0]
    options = ["watchdog=/dev/null", f"SBD_WATCHDOG_TIMEOUT={WATCHDOG_SECONDS}"]
    first.run(["pcs", "stonith", "sbd", "enable", *options, "--no-watchdog-validation"])
    first.run(["pcs", "cluster", "stop", "--all"])
    first.run(["pcs", "cluster", "start", "--all", "--wait=300"], timeout=400)
    wait_online(first, {node.name for node in members})
    first.run(["pcs", "property", "set", f"stonith-watchdog-timeout={FENCING_SECONDS}"])


def test_no_ha_without_fencing(members: Members) -> None:
    first = members[0]
    listed = said(first, "ha", "list")
    assert listed["enabled"] is False and "fencing is off" in listed["why_off"]
    assert "HA is off: fencing is off" in refused(first, "ha", "add", "web")
    for node in members:
        add_watchdog(node)
    switch_fencing_on(members)

    def on() -> bool | None:
        return said(first, "ha", "list")["enabled"] or None

    until(on, 120, "HA to be on", where=first.name)


def test_libvirt_of_members_trusts_members_alone(lab: Laboratory, members: Members) -> None:
    first, second, _ = members
    assert first.run(["virsh", "--connect", "qemu+tls://node2/system", "list"]).status == 0
    stranger = lab.machine(9)
    place = f"{second.addresses[0]}:16514"
    done = stranger.run(
        ["openssl", "s_client", "-connect", place, "-brief"], input="", check=False, timeout=30
    )
    assert "ertificate" in done.stderr and "Protocol" not in done.stdout, done.stderr
    stranger.remove()
    del lab.nodes[9]


def test_a_guest_goes_where_its_group_prefers(members: Members) -> None:
    first, second, third = members
    first.run(["slipway", "ha", "group", "add", "prod", "node2=200", "node1=100"])
    assert "not a member" in refused(first, "ha", "group", "add", "other", "node9=1")
    assert "vm web belongs to node1" in refused(second, "ha", "add", "web")
    plan = first.run(["slipway", "ha", "add", "web", "--group", "prod", "--explain"]).stdout
    assert "pcs resource" not in plan and "resource create vm-web" in plan
    assert said(first, "ha", "list")["guests"] == []
    begin = time.monotonic()
    first.run(["slipway", "ha", "add", "web", "--group", "prod", "--failback"])
    wait_for_ha(third, "web", "node2")
    record(test="guest under HA moved to the preferred node", seconds=time.monotonic() - begin)
    wait_for_owner(third, "web", "node2")
    assert [running(node) for node in members] == [[], ["web"], []]
    assert "live migration from node1 succeeded" in journal(second)
    # Its definition is the copy, and nowhere is another that could be started by hand.
    assert [defined(node) for node in members] == [[], [], []]
    assert said(third, "ha", "list") == {
        "enabled": True,
        "why_off": "",
        "guests": [
            {
                "name": "web",
                "kind": "machine",
                "group": "prod",
                "state": "started",
                "node": "node2",
                "wanted": "started",
                "failback": True,
            }
        ],
        "groups": [{"name": "prod", "nodes": {"node1": 100, "node2": 200}, "restricted": False}],
    }


def test_other_priorities_move_it_alive(members: Members) -> None:
    first, _, third = members
    why = refused(first, "migrate", "web", "node3")
    assert "would go back at once: its group prod prefers node2, node1" in why
    group = ["slipway", "ha", "group", "add", "prod", "node3=300", "node2=200"]
    first.run(group)
    wait_for_ha(first, "web", "node3")
    wait_for_owner(first, "web", "node3")
    assert "live migration from node2 succeeded" in journal(third)


def test_power_lost_and_back(members: Members) -> None:
    first, second, third = members
    begin = time.monotonic()
    third.power_off()
    wait_for_ha(first, "web", "node2")
    record(
        test="guest restarted after power loss",
        seconds=time.monotonic() - begin,
        fencing=FENCING_SECONDS,
    )
    assert running(second) == ["web"] and owner(first, "web") == "node2"
    third.boot()
    add_watchdog(third)
    wait_for_ha(first, "web", "node3")
    assert "live migration from node2 succeeded" in journal(third)


def test_a_guest_leaves_ha_and_runs_on(members: Members) -> None:
    first, _, third = members
    assert "vm web runs on node3" in refused(first, "ha", "remove", "web")
    before = third.run(["virsh", "domid", "web"]).stdout
    third.run(["slipway", "ha", "remove", "web"])
    assert said(first, "ha", "list")["guests"] == []
    assert third.run(["virsh", "domid", "web"]).stdout == before
    assert defined(third) == ["web"]
    assert "web" not in first.run(["pcs", "status", "--full"]).stdout
    wait_for_owner(first, "web", "node3")


def test_a_guest_without_ha_moves_with_its_disk(members: Members) -> None:
    first, second, third = members
    image = "/var/lib/libvirt/images/mail.qcow2"
    first.run(["virsh", "vol-create-as", "local", "mail.qcow2", "8M", "--format", "qcow2"])
    first.run(["qemu-io", "-c", "write -P 0x5a 1M 64k", image])
    define(first, "mail", FILE)
    wait_for_owner(second, "mail", "node1")
    assert "are on this node alone" in refused(first, "migrate", "mail", "node2")
    first.run(["virsh", "start", "mail"])
    assert "vm mail is on node1" in refused(second, "migrate", "mail", "node2")
    second.run(["pcs", "node", "standby", "node3"])
    assert "node3 is in standby" in refused(first, "migrate", "mail", "node3")
    second.run(["pcs", "node", "unstandby", "node3"])
    begin = time.monotonic()
    first.run(["slipway", "migrate", "mail", "node2"])
    record(test="migrated with a disk of 8 MiB", seconds=time.monotonic() - begin)
    assert running(first) == [] and "mail" not in defined(first)
    assert running(second) == ["mail"] and "mail" in defined(second)
    assert not (first.root / image.lstrip("/")).exists()
    wait_for_owner(third, "mail", "node2")
    second.run(["virsh", "destroy", "mail"])
    read = second.run(["qemu-io", "-r", "-c", "read -P 0x5a 1M 64k", image]).stdout
    assert "read 65536/65536 bytes" in read and "failed" not in read


def test_disks_of_one_node_keep_a_guest_out_of_ha(members: Members) -> None:
    second = members[1]
    why = refused(second, "ha", "add", "mail")
    assert f"no replica on node1, node3: vda ({'/var/lib/libvirt/images/mail.qcow2'})" in why
    assert "not on ZFS: vda" in refused(second, "replicate", "add", "mail", "node1")


def test_replication_has_keys_and_a_timer_where_the_guest_is(members: Members) -> None:
    first, second, _ = members
    for node in members:
        node.run(["ssh-keygen", "-A"])
        node.run(["systemctl", "start", "ssh.service"])
    define(first, "db", VOLUME)
    wait_for_owner(first, "db", "node1")
    first.run(["slipway", "replicate", "add", "db", "node2", "--every", "5m"])
    timers = first.run(["systemctl", "list-timers", "--all", "--no-pager"]).stdout
    assert "slipway-replicate-vm-db.timer" in timers
    trusted = "/etc/slipway/replication/authorized_keys"

    def trusts() -> bool | None:
        path = second.root / trusted.lstrip("/")
        known = first.root / "etc/slipway/replication/known_hosts"
        there = path.exists() and "slipway-node1" in path.read_text()
        return (there and "node2 " in known.read_text()) or None

    until(trusts, 300, "keys at both members", where=second.name)
    ssh = ["ssh", "-i", "/etc/slipway/replication/id_ed25519", "-o", "BatchMode=yes"]
    ssh += ["-o", "UserKnownHostsFile=/etc/slipway/replication/known_hosts", "root@node2"]
    assert first.run([*ssh, "echo -n"]).status == 0
    done = first.run([*ssh, "reboot"], check=False)
    assert done.status == 126 and "this key is for replication" in done.stderr
    # Here is no ZFS.
    assert "db: not replicated to node2" in refused(first, "replicate", "run", "db")
    (row,) = said(second, "replicate", "list")["jobs"]
    assert row.pop("error")
    assert row == {
        "guest": "db",
        "source": "node1",
        "target": "node2",
        "every": 300,
        "last": None,
        "age": None,
        "bytes": None,
    }
    first.run(["slipway", "replicate", "remove", "db"])
    assert said(second, "replicate", "list") == {"jobs": []}
    timers = first.run(["systemctl", "list-timers", "--all", "--no-pager"]).stdout
    assert "slipway-replicate" not in timers


def journal(node: Node) -> str:
    """What Pacemaker's agents said."""
    log = node.root / "var/log/pacemaker/pacemaker.log"
    return node.run(["journalctl", "--no-pager"]).stdout + (log.read_text() if log.exists() else "")
