"""Three blank machines and a kit, switched on at once: one cluster, which survives a loss."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.arguments import Accelerator
from tests.lab.conftest import empty_folder
from tests.lab.fleet import (
    MEMBER_LIMIT,
    Member,
    fleet_answers,
    fleet_specs,
    link_address,
    power_on,
    stop,
)
from tests.lab.install import LOGIN_LIMIT
from tests.lab.ssh import Key
from tests.lab.tryout_fleet import SETTLED_LIMIT, complete

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

COUNT = 3
# Seconds: a dead node is noticed after 4 s, and counted as reset after 30 s more.
FENCED_LIMIT = 300.0
# Seconds: a node resets itself 10 s after it lost the others.
RESET_LIMIT = 300.0
SECRETS = "/var/lib/slipway/secrets"


@pytest.fixture(scope="module")
def members(built_iso: Path, accelerator: Accelerator, key: Key) -> Iterator[tuple[Member, ...]]:
    """The running members; their times are in out/lab/cluster/seconds.json."""
    folder = empty_folder("cluster")
    specs = fleet_specs(COUNT, "uefi")
    answers = fleet_answers(COUNT, key.public)
    with power_on(specs, answers, built_iso, key, accelerator, folder) as made:
        seconds = {member.name: member.installed.seconds for member in made}
        (folder / "seconds.json").write_text(json.dumps(seconds, indent=2) + "\n")
        yield made
    for spec in specs:
        shutil.rmtree(folder / spec.name / "disks")


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


def test_a_node_without_power_is_fenced_and_comes_back(members: tuple[Member, ...]) -> None:
    others, lost = members[:-1], members[-1]
    stop(lost.machine)
    for member in others:
        state = member.wait_for(_lost(lost.name), FENCED_LIMIT, f"{lost.name} to be fenced")
        assert state["quorum"]["quorate"] is True
        assert (state["quorum"]["online"], state["quorum"]["may_fail"]) == (COUNT - 1, 0)
        assert state["ha"] is True
    history = others[0].ssh.output("stonith_admin", "--history", lost.name)
    assert "watchdog" in history or "reboot" in history
    with lost.installed.boot(empty_folder("cluster-again")):
        others[0].wait_for(complete(COUNT), MEMBER_LIMIT, f"{lost.name} to come back by itself")


def _lost(name: str) -> Any:
    def check(state: dict[str, Any]) -> bool:
        return any(m["name"] == name and m["state"] == "offline" for m in state["members"])

    return check


def test_a_node_without_network_resets_itself(members: tuple[Member, ...]) -> None:
    alone, others = members[1], (members[0],)
    machine = alone.machine
    for nic in machine.spec.nics[1:]:
        machine.plug_cable(nic, plugged=False)
    event = machine.qmp.wait_event("WATCHDOG", RESET_LIMIT)
    assert event["action"] == "reset"
    for nic in machine.spec.nics[1:]:
        machine.plug_cable(nic, plugged=True)
    alone.ssh.wait_until_up(MEMBER_LIMIT)
    others[0].wait_for(
        lambda state: state["quorum"]["online"] >= COUNT - 1, LOGIN_LIMIT * 10, "it to come back"
    )
