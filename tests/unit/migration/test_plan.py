"""A machine moves to another member: the commands, and everything that is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.cluster.guests.model import Claim
from agent.cluster.monitor import NodeState
from agent.core.commands import explain
from agent.core.errors import SlipwayError
from agent.ha.model import Group, Resource
from agent.hypervisor import Volume
from agent.migration.plan import Cluster, Moving, Target, check, plan
from agent.storages.disks import Disk


def node(
    name: str,
    *,
    online: bool = True,
    unclean: bool = False,
    standby: bool = False,
    pending: bool = False,
) -> NodeState:
    return NodeState(name, online, unclean, standby, pending)


HERE = Cluster(
    "node1",
    frozenset({"node1", "node2", "node3", "node4", "node5"}),
    {
        "node1": node("node1"),
        "node2": node("node2"),
        "node3": node("node3", standby=True),
        "node4": node("node4", online=False),
    },
)
SHARED = Disk("vda", "/var/lib/slipway/storages/nas/web.qcow2", shared=True)
LOCAL = Disk("vdb", "/var/lib/libvirt/images/data.qcow2", shared=False)
WEB = Moving("vm-web", Claim("node1", ("1" * 64,)), disks=(SHARED,))
BOTH = replace(
    WEB, disks=(SHARED, LOCAL), volumes={"vdb": Volume("local", "data.qcow2", 1 << 30, "qcow2")}
)
READY = Target(pools=frozenset({"local"}))
UNDER_HA = replace(WEB, resource=Resource("vm-web", None, "started", False, False), state="started")
PROD = Group(name="prod", nodes={"node1": 300, "node2": 200}, restricted=True)


def refusal(moving: Moving, node: str = "node2", target: Target = READY) -> str:
    with pytest.raises(SlipwayError) as error:
        plan(moving, node, HERE, target)
    return str(error.value)


def test_a_machine_on_shared_storage_moves_through_libvirts_own_connection() -> None:
    move = plan(WEB, "node2", HERE, Target())
    assert explain(move.begin) == (
        "virsh migrate --live --p2p --tunnelled --persistent web qemu+tls://node2/system"
    )
    assert explain(move.finish).splitlines() == [
        "slipway guest give vm web node2",
        "virsh undefine web --keep-nvram --keep-tpm",
    ]


def test_a_machine_that_starts_with_its_node_goes_on_to() -> None:
    move = plan(replace(WEB, autostart=True), "node2", HERE, Target())
    assert "virsh --connect qemu+tls://node2/system autostart web" in explain(move.finish)


def test_local_disks_are_copied_and_no_others() -> None:
    move = plan(BOTH, "node2", HERE, READY)
    create, migrate = move.begin
    assert str(create) == (
        "virsh --connect qemu+tls://node2/system vol-create-as --pool local --name data.qcow2 "
        "--capacity 1073741824 --allocation 0 --format qcow2"
    )
    assert create.undo[-4:] == ("vol-delete", "--pool", "local", "data.qcow2")
    assert "--p2p --copy-storage-all --migrate-disks vdb --migrateuri tcp://node2" in str(migrate)
    assert str(move.finish[-1]) == "virsh vol-delete --pool local data.qcow2"


def test_replicas_are_written_over_and_stay_behind() -> None:
    keeps = replace(BOTH, keeps=frozenset({"node1", "node2"}))
    move = plan(keeps, "node2", HERE, replace(READY, volumes=frozenset({"local/data.qcow2"})))
    assert len(move.begin) == 1
    assert not any("vol-delete" in each.argv for each in move.finish)


def test_a_machine_that_is_off_moves_without_local_disks() -> None:
    move = plan(replace(WEB, runs=False), "node2", HERE, Target())
    assert "virsh migrate --offline --persistent web" in explain(move.begin)
    assert "web is off, and these disks" in refusal(replace(BOTH, runs=False))


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("node9", "node9 is not a member"),
        ("node3", "node3 is in standby"),
        ("node4", "node4 is offline"),
        ("node5", "node5 is offline"),
        ("node1", "is on node1 already"),
    ],
)
def test_nodes_that_take_nothing(where: str, words: str) -> None:
    assert words in refusal(WEB, where)


@pytest.mark.parametrize("seen", [node("node2", unclean=True), node("node2", pending=True)])
def test_a_node_that_does_not_take_part_fully(seen: NodeState) -> None:
    cluster = replace(HERE, nodes={"node2": seen})
    with pytest.raises(SlipwayError, match="node2 is offline"):
        check(WEB, "node2", cluster)


def test_guests_that_do_not_move() -> None:
    container = replace(WEB, key="container-db")
    assert "LXC has no live migration" in refusal(container)
    assert "vm web is on node3" in refusal(replace(WEB, claim=Claim("node3", ("1" * 64,))))
    tied = replace(WEB, ties=("it has the snapshot before",))
    assert "cannot move to another node: it has the snapshot before" in refusal(tied)


def test_what_the_other_node_lacks_or_has() -> None:
    assert "node2 has no storage local" in refusal(BOTH, target=Target())
    taken = replace(READY, volumes=frozenset({"local/data.qcow2"}))
    assert "node2 has a disk data.qcow2 in local already" in refusal(BOTH, target=taken)
    assert "in no pool of libvirt" in refusal(replace(BOTH, volumes={}))
    assert "node2 has a machine called web" in refusal(
        WEB, target=replace(READY, guests=frozenset({"web"}))
    )


def test_a_guest_under_ha_moves_through_pacemaker_from_anywhere() -> None:
    moving = replace(UNDER_HA, claim=Claim("node3", ("1" * 64,)))
    move = plan(moving, "node2", HERE, Target())
    assert explain(move.begin) == "pcs resource move vm-web node2 --wait=3600"
    assert move.finish == ()


def test_ha_refuses_what_pacemaker_would_undo() -> None:
    failback = Resource("vm-web", "prod", "started", failback=True, local=False)
    moving = replace(UNDER_HA, resource=failback, group=PROD)
    assert "would go back at once: its group prod prefers node1" in refusal(moving)
    more = replace(HERE, nodes=HERE.nodes | {"node4": node("node4")})
    group = Group(name="prod", nodes={"node1": 100, "node2": 200}, restricted=False)
    with pytest.raises(SlipwayError, match="prefers node2, node1"):
        plan(replace(moving, group=group), "node4", more, Target())
    stays = replace(moving, resource=replace(failback, failback=False))
    plan(stays, "node2", HERE, Target())
    other = PROD.model_copy(update={"nodes": {"node1": 1}})
    assert "runs on nodes of its group prod alone" in refusal(replace(stays, group=other))
    assert "vm web is failed" in refusal(replace(UNDER_HA, state="failed"))
    assert "vm web is on node1 already" in refusal(UNDER_HA, "node1")


def test_ha_with_local_disks_needs_a_replica_there() -> None:
    local = replace(UNDER_HA, resource=Resource("vm-web", None, "started", False, local=True))
    assert "has local disks and no replica on node2" in refusal(local)
    plan(replace(local, keeps=frozenset({"node2"})), "node2", HERE, Target())
