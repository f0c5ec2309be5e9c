"""Disks are replicated: jobs, what they run, their timers, and everything that is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.cluster.guests.model import Claim
from agent.core.commands import explain
from agent.core.errors import SlipwayError
from agent.replication import plan
from agent.replication.model import Job, Outcome, jobs, outcome_name, outcomes, replicas
from agent.replication.plan import Cluster, Disks, Place
from agent.storages.disks import Disk

OWN = Claim("node1", ("1" * 64,))
WEB = Disks("vm-web", OWN, ("rpool/guests/web", "rpool/guests/data"))
HERE = Cluster("node1", frozenset({"node1", "node2", "node3"}))
JOB = Job(900, ("node1", "node2", "node3"))


def refusal(what: Disks, *nodes: str, every: int = 900, cluster: Cluster = HERE) -> str:
    with pytest.raises(SlipwayError) as error:
        plan.job(what, nodes, every, cluster)
    return str(error.value)


def test_a_job_names_all_members_that_keep_the_disks() -> None:
    job = plan.job(WEB, ("node3", "node2", "node1"), 900, HERE)
    assert job == JOB and str(job) == "900:node1,node2,node3"
    assert job.targets("node1") == ("node2", "node3")
    assert job.targets("node2") == ("node1", "node3")


def test_disks_that_cannot_be_replicated() -> None:
    found = plan.disks(
        "vm-web",
        OWN,
        (
            Disk("vda", "/dev/zvol/rpool/guests/web", shared=False, dataset="rpool/guests/web"),
            Disk("vdb", "/var/lib/libvirt/images/web.qcow2", shared=False),
            Disk("vdc", "/var/lib/slipway/storages/nas/x.qcow2", shared=True),
            Disk("sda", "/srv/debian.iso", shared=False, disk=False),
        ),
    )
    assert found.datasets == ("rpool/guests/web",)
    assert "not on ZFS: vdb (/var/lib/libvirt/images/web.qcow2)" in refusal(found, "node2")
    assert "nothing to replicate" in refusal(replace(WEB, datasets=()), "node2")
    assert "unusual name" in refusal(replace(WEB, datasets=("rpool/a b",)), "node2")


def test_jobs_that_cannot_work() -> None:
    assert "vm web belongs to node2" in refusal(
        replace(WEB, claim=Claim("node2", ("1" * 64,))), "node3"
    )
    assert "not a member of the cluster: node9" in refusal(WEB, "node2", "node9")
    assert "a replica is on another node" in refusal(WEB, "node1")
    assert "once a minute at most" in refusal(WEB, "node2", every=30)
    assert "cannot be backed up" in refusal(replace(WEB, key="vm-a_20b"), "node2")


def test_what_ha_needs_stays() -> None:
    needing = replace(HERE, jobs={"vm-web": JOB}, needed={"vm-web": frozenset({"node1", "node3"})})
    assert "may start on node3 from a replica" in refusal(WEB, "node2", cluster=needing)
    plan.job(WEB, ("node3",), 900, needing)
    with pytest.raises(SlipwayError, match="is under HA, and may start on node3"):
        plan.check_removal("vm-web", needing)


def test_only_jobs_that_there_are_run_and_end() -> None:
    with pytest.raises(SlipwayError, match="vm web is not replicated"):
        plan.check_removal("vm-web", HERE)
    with pytest.raises(SlipwayError, match="slipway replicate add web"):
        plan.check_run(WEB, HERE)
    known = replace(HERE, jobs={"vm-web": JOB})
    assert plan.check_removal("vm-web", known) == plan.check_run(WEB, known) == JOB
    with pytest.raises(SlipwayError, match="belongs to node2"):
        plan.check_run(replace(WEB, claim=Claim("node2", ("1" * 64,))), known)


@pytest.mark.parametrize(
    "place", [Place("node1", "migrating"), Place("node2", "started"), Place("node1", "failed")]
)
def test_a_guest_that_moves_is_not_replicated(place: Place) -> None:
    known = replace(HERE, jobs={"vm-web": JOB})
    with pytest.raises(SlipwayError, match=f"is {place.state} on {place.node}"):
        plan.check_run(WEB, known, place)
    for fine in (Place("node1", "started"), Place(None, "stopped")):
        assert plan.check_run(WEB, known, fine) == JOB


def test_syncoid_knows_the_server_and_its_own_snapshots() -> None:
    said = explain(plan.copy(WEB, "node2")).splitlines()
    assert len(said) == 2
    for word in (
        "--identifier=node2",
        "--sshoption=StrictHostKeyChecking=yes",
        "--sshoption=UserKnownHostsFile=/etc/slipway/replication/known_hosts",
        "--preserve-properties",
    ):
        assert word in said[0]
    assert said[0].endswith(" rpool/guests/web root@node2:rpool/guests/web")


def test_what_syncoid_says_it_sends() -> None:
    said = "INFO: Sending incremental a@1 ... 2 (~ 1.5 MB):\nINFO: Sending oldest full (~ 4 KB)\n"
    assert plan.sent(said) == 3 * (1 << 19) + 4096
    assert plan.sent("INFO: no snapshots on source newer") == 0


def test_timers_are_with_the_member_that_has_the_guest() -> None:
    known = {"vm-web": JOB, "vm-mail": Job(60, ("node1", "node2"))}
    claims = {"vm-web": OWN, "vm-mail": Claim("node2", ("2" * 64,))}
    units = plan.units(known, claims, "node1")
    assert set(units) == {"slipway-replicate-vm-web.service", "slipway-replicate-vm-web.timer"}
    assert "OnUnitActiveSec=900" in units["slipway-replicate-vm-web.timer"]
    assert "slipway replicate run web\n" in units["slipway-replicate-vm-web.service"]
    assert plan.units(known, claims, "node3") == {}


def test_timers_come_change_and_go() -> None:
    units = plan.units({"vm-web": JOB}, {"vm-web": OWN}, "node1")
    assert plan.bring_units(units, units) == ()
    said = explain(plan.bring_units({}, units))
    assert said.endswith(
        "systemctl daemon-reload\nsystemctl enable slipway-replicate-vm-web.timer\n"
        "systemctl restart slipway-replicate-vm-web.timer"
    )
    said = explain(plan.bring_units(units, {}))
    assert said.startswith("systemctl disable --now slipway-replicate-vm-web.timer\nrm ")


def test_records_in_the_cib_are_read_as_they_were_written() -> None:
    outcome = Outcome("node1", 1764000000, 4096, "ssh: connect: 10.0.0.2: no route")
    texts = {
        "replica-vm-web": str(JOB),
        outcome_name("vm-web", "node2"): str(outcome),
        outcome_name("vm-web", "node3"): str(Outcome("node1", error="no space")),
        "replica-vm-bad": "often",
        "guest-vm-web__1": "node1:" + "1" * 64,
    }
    assert jobs(texts) == {"vm-web": JOB}
    assert outcomes(texts)["vm-web", "node2"] == outcome
    assert replicas(texts) == {"vm-web": frozenset({"node2"})}
