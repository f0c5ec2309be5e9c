"""Definitions of guests reach every member, and only a current one starts. Real libvirt and csync2.

Guests are machines without disks, which QEMU emulates.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import quorum_kept
from tests.cluster.laboratory import Laboratory, record, wait_online
from tests.cluster.node import Node
from tests.lab.wait import until

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

COPY = "/var/lib/slipway/definitions/vm-web.xml"
DOMAIN = """<domain type='qemu'>
  <name>{name}</name>{uuid}
  <memory unit='MiB'>{mebibytes}</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>
</domain>
"""
# Definitions are looked at every two minutes at least.
SYNCED_SECONDS = 300.0


def definition(mebibytes: int, uuid: str = "", name: str = "web") -> str:
    element = f"\n  <uuid>{uuid}</uuid>" if uuid else ""
    return DOMAIN.format(name=name, uuid=element, mebibytes=mebibytes)


def define(node: Node, xml: str) -> None:
    """Define a machine, as a person does; nobody tells Slipway."""
    node.run(["virsh", "define", "/dev/stdin"], input=xml)


def uuid_of(node: Node, name: str = "web") -> str:
    return node.run(["virsh", "domuuid", name]).stdout.strip()


def copy_at(node: Node) -> str:
    """The node's copy of the machine `web`, empty when there is none."""
    path = node.root / COPY.lstrip("/")
    return path.read_text() if path.exists() else ""


def guests(node: Node) -> dict[str, Any]:
    """What `slipway cluster status` says of guests."""
    said = node.run(["slipway", "cluster", "status", "--json"], check=False).stdout
    found: dict[str, Any] = json.loads(said)["guests"]
    return found


def wait_for_copies(nodes: tuple[Node, ...], text: str) -> None:
    """Wait until every node has a copy with this text, and takes it for current."""
    for node in nodes:

        def there(node: Node = node) -> bool | None:
            return (text in copy_at(node) and not guests(node)["stale"]) or None

        until(there, SYNCED_SECONDS, f"a copy with {text}", where=node.name)


@pytest.fixture(scope="module")
def members(lab: Laboratory) -> Iterator[tuple[Node, Node, Node]]:
    """Three members with libvirt, where libvirt starts with the node."""
    first = lab.create(1)
    made = (first, lab.add(2, first), lab.add(3, first))
    for node in made:
        node.run(["systemctl", "enable", "--now", "libvirtd.service"])
    wait_online(first, {node.name for node in made})
    yield made


def test_a_definition_reaches_every_member(members: tuple[Node, Node, Node]) -> None:
    first = members[0]
    begin = time.monotonic()
    define(first, definition(64))
    wait_for_copies(members, "<memory unit='KiB'>65536</memory>")
    record(test="guest defined", seconds=time.monotonic() - begin)
    begin = time.monotonic()
    define(first, definition(72, uuid_of(first)))
    wait_for_copies(members, "<memory unit='KiB'>73728</memory>")
    record(test="guest changed", seconds=time.monotonic() - begin)
    for node in members:
        assert (node.root / COPY.lstrip("/")).stat().st_mode & 0o777 == 0o600
        assert guests(node) == {"known": 1, "stale": [], "elsewhere": [], "missing": []}
    first.run(["virsh", "start", "web"])
    first.run(["virsh", "destroy", "web"])


def test_what_passes_between_members_is_encrypted_and_needs_a_certificate(
    lab: Laboratory, members: tuple[Node, Node, Node]
) -> None:
    stranger = lab.machine(9)
    place = f"{members[0].addresses[0]}:30865"
    # With TLS 1.3 the server refuses after the client's handshake: its answer is waited for.
    argv = ["openssl", "s_client", "-connect", place, "-brief", "-nocommands", "-ign_eof"]
    said = stranger.run(argv, input="CONFIG\n", check=False, timeout=30)
    assert "OK (" not in said.stdout
    assert "certificate required" in said.stderr, said.stderr
    stranger.remove()
    del lab.nodes[9]


def test_the_same_name_on_another_member_does_not_start(
    members: tuple[Node, Node, Node],
) -> None:
    second = members[1]
    define(second, definition(80))
    done = second.run(["virsh", "start", "web"], check=False)
    assert done.status != 0 and "vm web belongs to node1" in done.stderr, done.stderr
    what = "the conflict to be named"
    until(lambda: guests(second)["elsewhere"] or None, SYNCED_SECONDS, what, where=second.name)
    assert "<memory unit='KiB'>73728</memory>" in copy_at(second)
    second.run(["virsh", "undefine", "web"])


def test_a_stale_copy_is_named_and_does_not_start(members: tuple[Node, Node, Node]) -> None:
    """node1, where the machine belongs, is off, and node3 has an earlier definition."""
    first, second, third = members
    resource = ["pcs", "resource", "create", "web", "ocf:heartbeat:VirtualDomain"]
    # Pacemaker itself starts nothing here, as a namespace has no watchdog: virsh create is what
    # its agent runs.
    first.run([*resource, f"config={COPY}", "hypervisor=qemu:///system", "--disabled"])
    earlier = copy_at(third)
    define(first, definition(88, uuid_of(first)))
    wait_for_copies(members, "<memory unit='KiB'>90112</memory>")
    with quorum_kept(second):
        first.power_off()
        wait_online(second, {"node2", "node3"})
        third.run(["tee", COPY], input=earlier)
        assert guests(third)["stale"] == ["vm web"]
        done = third.run(["virsh", "create", COPY], check=False)
        assert done.status != 0 and "vm web on node3 is stale" in done.stderr, done.stderr
        begin = time.monotonic()
        second.run(["virsh", "create", COPY])
        # It belongs to node2 now, which brings node3's copy up to date.
        wait_for_copies((second, third), "<memory unit='KiB'>90112</memory>")
        record(test="stale copy renewed", seconds=time.monotonic() - begin)
        third.run(["virsh", "create", COPY])
        third.run(["virsh", "destroy", "web"])


def test_the_old_owner_returns_and_does_not_start_it(members: tuple[Node, Node, Node]) -> None:
    first, second, third = members
    first.boot()
    wait_online(second, {node.name for node in members})
    done = first.run(["virsh", "start", "web"], check=False)
    assert done.status != 0 and "vm web belongs to node" in done.stderr, done.stderr
    what = "what is left on node1 to be named"
    until(lambda: guests(first)["elsewhere"] or None, SYNCED_SECONDS, what, where=first.name)


def test_a_machine_that_starts_with_the_node_starts_once_there_is_quorum(
    lab: Laboratory, members: tuple[Node, Node, Node]
) -> None:
    second = members[1]
    define(second, definition(64, name="early"))
    second.run(["virsh", "autostart", "early"])
    copy = members[0].root / "var/lib/slipway/definitions/vm-early.xml"
    what = "a copy of the machine"
    until(lambda: copy.exists() or None, SYNCED_SECONDS, what, where=members[0].name)
    second.power_off()
    wait_online(members[0], {"node1", "node3"})
    lab.switch.cut(second.number, connected=False)
    second.boot()

    def refused() -> bool | None:
        argv = ["journalctl", "-u", "libvirtd", "--no-pager", "--grep", "vm early does not start"]
        return "in no cluster with quorum" in second.run(argv, check=False).stdout or None

    until(refused, 120, "the start to be refused", where=second.name)
    assert "early" not in running(second)
    lab.switch.cut(second.number, connected=True)
    begin = time.monotonic()
    what = "the machine to start"
    until(lambda: "early" in running(second) or None, 300, what, where=second.name)
    record(test="guest started once there is quorum", seconds=time.monotonic() - begin)


def running(node: Node) -> list[str]:
    """The machines that run on a node."""
    return node.run(["virsh", "list", "--name"]).stdout.split()


def test_a_machine_that_is_undefined_leaves_no_copies(members: tuple[Node, Node, Node]) -> None:
    second = members[1]
    second.run(["virsh", "destroy", "early"])
    second.run(["virsh", "undefine", "early"])
    for node in members:
        path = node.root / "var/lib/slipway/definitions/vm-early.xml"

        def gone(path: Path = path) -> bool | None:
            return not path.exists() or None

        until(gone, SYNCED_SECONDS, "its copy to go", where=node.name)
