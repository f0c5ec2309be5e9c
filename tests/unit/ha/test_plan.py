"""Guests are put under HA, groups are made: the commands, and everything that is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.cluster.guests.model import Claim
from agent.core.commands import explain
from agent.core.errors import SlipwayError
from agent.ha.model import Group, Resource
from agent.ha.plan import Candidate, Situation, add, remove, remove_group, set_group

ONE, TWO = "1" * 64, "2" * 64
PROD = Group(name="prod", nodes={"node1": 300, "node3": 200}, restricted=False)
ONLY = Group(name="only", nodes={"node1": 300, "node3": 200}, restricted=True)
HERE = Situation(
    "node1", frozenset({"node1", "node2", "node3"}), groups={"prod": PROD, "only": ONLY}
)
WEB = Candidate("vm-web", Claim("node1", (ONE,)))
LOCAL = replace(WEB, local=("vda (/dev/zvol/rpool/guests/web)",), copied=("vda",))
UNDER_HA = Resource("vm-web", "prod", "started", failback=False, local=False)


def refusal(candidate: Candidate, situation: Situation, group: str | None = None) -> str:
    with pytest.raises(SlipwayError) as error:
        add(candidate, group, situation, failback=False)
    return str(error.value)


def test_a_machine_gets_a_resource_and_its_definition_is_the_copy() -> None:
    said = explain(add(WEB, None, HERE, failback=False))
    create = next(line for line in said.splitlines() if "resource create" in line)
    assert "vm-web ocf:heartbeat:VirtualDomain" in create
    assert "config=/var/lib/slipway/definitions/vm-web.xml" in create
    for word in (
        "migration_transport=tls",
        "start_resources=1",
        "resource-stickiness=1000",
        "allow-migrate=true",
        "'migrate_options=--p2p --tunnelled'",
    ):
        assert word in create
    assert said.endswith("\nvirsh undefine web --keep-nvram --keep-tpm")
    assert "constraint" not in said


def test_a_group_is_one_rule_and_failback_is_asked_for() -> None:
    said = explain(add(WEB, "prod", HERE, failback=True))
    rules = [line for line in said.splitlines() if "constraint location" in line]
    assert len(rules) == 1
    assert "score-attribute=slipway-group-prod 'defined slipway-group-prod'" in rules[0]
    assert "resource-stickiness=0" in said


def test_all_changes_of_the_cib_are_one() -> None:
    words = [each.argv for each in add(WEB, "only", HERE, failback=False) if each.argv[0] == "pcs"]
    assert [each[1] for each in words] == ["cluster", "-f", "-f", "-f", "cluster"]
    assert "score=-INFINITY" in words[3] and words[3][-1] == "not_defined slipway-only-only"


def test_a_container_is_started_with_patience() -> None:
    candidate = Candidate("container-db", Claim("node1", (ONE,)))
    said = explain(add(candidate, None, HERE, failback=False))
    assert "ocf:heartbeat:lxc config=/var/lib/slipway/definitions/container-db.conf" in said
    assert "op start timeout=180s" in said and "undefine" not in said


def test_no_ha_without_fencing() -> None:
    said = refusal(WEB, replace(HERE, why_off="fencing is off: switch it on"))
    assert "HA is off: fencing is off" in said and "two nodes at once" in said


def test_what_is_under_ha_already() -> None:
    said = refusal(WEB, replace(HERE, resources={"vm-web": UNDER_HA}))
    assert "vm web is under HA already" in said and "slipway ha remove web" in said


def test_a_guest_that_nobody_knows_or_that_is_elsewhere() -> None:
    assert "the cluster knows no vm web" in refusal(replace(WEB, claim=None), HERE)
    elsewhere = replace(WEB, claim=Claim("node2", (ONE,)))
    assert "vm web belongs to node2" in refusal(elsewhere, HERE)


def test_a_definition_that_others_do_not_have_yet() -> None:
    said = refusal(replace(WEB, claim=Claim("node1", (ONE, TWO))), HERE)
    assert "still on its way" in said


def test_what_ties_a_machine_to_its_node() -> None:
    said = refusal(replace(WEB, ties=("it has the snapshot before",)), HERE)
    assert "cannot move to another node: it has the snapshot before" in said


def test_groups_must_exist_and_failback_needs_one() -> None:
    assert "there is no group test" in refusal(WEB, HERE, "test")
    with pytest.raises(SlipwayError, match="only a group says"):
        add(WEB, None, HERE, failback=True)


def test_local_disks_need_replicas_wherever_the_guest_may_start() -> None:
    said = refusal(LOCAL, HERE, "prod")
    assert "no replica on node2, node3: vda (/dev/zvol/rpool/guests/web)" in said
    assert "slipway replicate add web node2 node3" in said
    assert "no replica on node3" in refusal(LOCAL, HERE, "only")
    some = replace(HERE, replicas={"vm-web": frozenset({"node3"})})
    assert "no replica on node2" in refusal(LOCAL, some, "prod")
    said = explain(add(LOCAL, "only", some, failback=False))
    assert "'migrate_options=--p2p --copy-storage-all --migrate-disks vda'" in said
    assert "migrateuri=tcp://%n" in said


def test_a_guest_leaves_ha_and_goes_on() -> None:
    there = replace(HERE, resources={"vm-web": UNDER_HA})
    done = remove("vm-web", there, node="node1", copied=True)
    assert explain(done.begin).splitlines() == [
        "virsh define /var/lib/slipway/definitions/vm-web.xml",
        "pcs property set stop-orphan-resources=false",
        "pcs resource delete --force vm-web",
    ]
    assert done.begin[1].undo == ("pcs", "property", "set", "stop-orphan-resources=")
    assert explain(done.finish).splitlines() == [
        "crm_resource --refresh --resource vm-web",
        "pcs property set stop-orphan-resources=",
    ]


def test_what_is_not_taken_out_of_ha() -> None:
    there = replace(HERE, resources={"vm-web": UNDER_HA})
    for situation, node, copied, words in (
        (HERE, "node1", True, "vm web is not under HA"),
        (there, "node2", True, "vm web runs on node2"),
        (there, None, False, "has no copy"),
    ):
        with pytest.raises(SlipwayError, match=words):
            remove("vm-web", situation, node=node, copied=copied)


def test_a_group_is_an_attribute_of_its_nodes() -> None:
    said = explain(set_group(PROD, replace(HERE, groups={})))
    assert "node attribute node1 slipway-group-prod=300" in said
    changed = PROD.model_copy(update={"nodes": {"node2": 100}})
    lines = explain(set_group(changed, HERE)).splitlines()[3:-1]
    assert [line.partition("attribute ")[2] for line in lines] == [
        "node1 slipway-group-prod=",
        "node3 slipway-group-prod=",
        "node2 slipway-group-prod=100",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Prod"}, "cannot be called 'Prod'"),
        ({"nodes": {}}, "a group has nodes"),
        ({"nodes": {"node9": 1}}, "not a member of the cluster: node9"),
        ({"nodes": {"node1": 0}}, "the priority of node1 is 0"),
        ({"nodes": {"node1": 1000}}, "the priority of node1 is 1000"),
    ],
)
def test_groups_that_cannot_work(change: dict[str, object], words: str) -> None:
    with pytest.raises(SlipwayError, match=words):
        set_group(PROD.model_copy(update=change), HERE)


def test_a_group_with_guests_stays_what_it_is() -> None:
    used = replace(HERE, resources={"vm-web": UNDER_HA})
    with pytest.raises(SlipwayError, match="cannot become restricted while it has guests"):
        set_group(PROD.model_copy(update={"restricted": True}), used)
    with pytest.raises(SlipwayError, match="the group prod has guests: web"):
        remove_group("prod", used)
    set_group(PROD.model_copy(update={"nodes": {"node1": 1}}), used)


def test_a_group_does_not_get_a_node_without_the_replica_of_its_guest() -> None:
    local = replace(UNDER_HA, group="only", local=True)
    used = replace(HERE, resources={"vm-web": local}, replicas={"vm-web": frozenset({"node3"})})
    with pytest.raises(SlipwayError, match="no replica on node2"):
        set_group(ONLY.model_copy(update={"nodes": {"node1": 1, "node2": 2}}), used)


def test_a_group_without_guests_goes() -> None:
    said = explain(remove_group("only", HERE))
    assert "node1 slipway-only-only=\n" in said and "node3 slipway-only-only=\n" in said
    with pytest.raises(SlipwayError, match="there is no group test"):
        remove_group("test", HERE)
