"""Three blank machines and a kit, switched on at once: one cluster, which survives a loss."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from agent.cluster.monitor import View, parse
from tests.lab.containers import COMMAND_LIMIT, Containers
from tests.lab.fleet import MEMBER_LIMIT, Member, link_address
from tests.lab.tryout_fleet import SETTLED_LIMIT, complete

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

COUNT = 3
# Seconds of the machines' own time. A dead node is noticed after 4 s, and counted as reset after
# 30 s more.
FENCED_LIMIT = 300.0
# Definitions are looked for when libvirt's folder changes, and every two minutes.
COPIED_LIMIT = 450.0
DOMAIN = """<domain type='qemu'>
  <name>web</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>
</domain>
"""
SECRETS = "/var/lib/slipway/secrets"


def test_one_cluster_with_fencing_everywhere(members: tuple[Member, ...]) -> None:
    for member in members:
        state = member.wait_for(complete(COUNT), SETTLED_LIMIT, "a whole cluster with HA")
        assert state["quorum"]["quorate"] is True
        assert state["quorum"]["may_fail"] == 1
        assert state["fencing"]["running"] is True and state["fencing"]["hardware"] is True
        ready = json.loads(member.ssh.output("slipway", "status", "--json"))
        assert ready["ready"] is True
        assert {step["state"] for step in ready["steps"].values()} == {"done"}


def test_every_member_knows_every_name(members: tuple[Member, ...]) -> None:
    for member in members:
        for number, other in enumerate(members, start=1):
            if other is not member:
                address = member.ssh.output("getent", "ahostsv4", other.name).split()[0]
                assert address == link_address(number)


def test_the_secrets_are_gone(members: tuple[Member, ...]) -> None:
    for member in members:
        assert member.ssh.run(["test", "-e", SECRETS], check=False).status == 1


def test_guests_start_where_they_belong(members: tuple[Member, ...]) -> None:
    """A machine and a container of the first member; AppArmor is around the hooks."""
    first, other = members[0], members[-1]
    before = first.wait_for(complete(COUNT), SETTLED_LIMIT, "a whole cluster")["guests"]["known"]
    define = ["virsh", "define", "/dev/stdin"]
    first.ssh.run(define, input=DOMAIN, limit=COMMAND_LIMIT)
    Containers(first.ssh).create("mail", "--memory", "128M", "--disk", "400M")
    for name in ("vm-web.xml", "container-mail.conf"):
        copy = f"/var/lib/slipway/definitions/{name}"
        for member in members:

            def there(member: Member = member, copy: str = copy) -> bool | None:
                return member.ssh.run(["test", "-s", copy], check=False).status == 0 or None

            member.until(there, COPIED_LIMIT, f"a copy {copy}")
        other.wait_for(_current(before + 2), COPIED_LIMIT, "current copies")
    first.ssh.run(["virsh", "start", "web"], limit=COMMAND_LIMIT)
    first.ssh.run(["virsh", "destroy", "web"], limit=COMMAND_LIMIT)
    Containers(first.ssh).slipway("start", "mail")
    Containers(first.ssh).slipway("stop", "mail", "--force")
    create = ["virsh", "create", "/var/lib/slipway/definitions/vm-web.xml"]
    refused = other.ssh.run(create, check=False, limit=COMMAND_LIMIT)
    assert refused.status != 0 and "vm web belongs to node1" in refused.stderr
    start = ["lxc-start", "--name", "mail", "--logfile", "/dev/stdout", "--logpriority", "DEBUG"]
    start += ["--rcfile", "/var/lib/slipway/definitions/container-mail.conf"]
    refused = other.ssh.run(start, check=False, limit=COMMAND_LIMIT)
    assert refused.status != 0 and "container mail belongs to node1" in refused.stdout


def test_a_node_without_network_resets_itself(members: tuple[Member, ...]) -> None:
    first, alone = members[0], members[1]
    alone.plug_links(plugged=False)
    alone.wait_for_reset()
    # Nothing ran there that would have to be safe, so nobody has it fenced.
    missed = _is(alone.name, "to be fenced", "offline")
    first.wait_for(missed, FENCED_LIMIT, f"{alone.name} to be missed")
    alone.plug_links(plugged=True)
    first.wait_for(complete(COUNT), MEMBER_LIMIT, f"{alone.name} to come back by itself")


def test_a_node_without_power_is_fenced_and_comes_back(members: tuple[Member, ...]) -> None:
    first, lost = members[0], members[-1]
    # Pacemaker fences nobody as long as there is nothing to keep safe.
    first.ssh.run(["pcs", "resource", "create", "probe", "ocf:heartbeat:Dummy"], limit=300)
    first.ssh.run(["pcs", "constraint", "location", "probe", "prefers", lost.name], limit=300)
    first.until(
        lambda: _runs_on(first) == lost.name or None, SETTLED_LIMIT, f"probe on {lost.name}"
    )
    lost.pull_power()
    for member in members[:-1]:
        state = member.wait_for(
            _is(lost.name, "offline"), FENCED_LIMIT, f"{lost.name} to be fenced"
        )
        assert state["quorum"]["quorate"] is True
        assert (state["quorum"]["online"], state["quorum"]["may_fail"]) == (COUNT - 1, 0)
    first.until(
        lambda: _runs_on(first) not in ("", lost.name) or None,
        FENCED_LIMIT,
        "the resource to run elsewhere",
    )
    assert ("reboot", "success") in [
        (event.action, event.status) for event in _view(first).fenced if event.target == lost.name
    ]
    lost.switch_on()
    first.wait_for(complete(COUNT), MEMBER_LIMIT, f"{lost.name} to come back by itself")


def _current(known: int) -> Callable[[dict[str, Any]], bool]:
    """So many guests are known, and all copies of them are current."""

    def check(state: dict[str, Any]) -> bool:
        return bool(state["guests"]["known"] == known and not state["guests"]["stale"])

    return check


def _view(member: Member) -> View:
    return parse(member.ssh.output("crm_mon", "--one-shot", "--output-as=xml", "--inactive"))


def _runs_on(member: Member) -> str:
    """The node that runs the resource, empty while none does."""
    found = ElementTree.fromstring(
        member.ssh.output("crm_mon", "--one-shot", "--output-as=xml", "--inactive")
    ).find("resources/resource[@id='probe']/node")
    return "" if found is None else found.get("name", "")


def _is(name: str, *states: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a member is in one of these states."""

    def check(state: dict[str, Any]) -> bool:
        return any(m["name"] == name and m["state"] in states for m in state["members"])

    return check
