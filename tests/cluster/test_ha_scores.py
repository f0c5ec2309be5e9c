"""Where Pacemaker puts guests under HA, by its own scheduler and the real pcs, without a cluster.

The planned changes are done to a CIB in a file, in the tree of a node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from agent.cluster.guests.model import Claim
from agent.core.command import run
from agent.core.commands import Command
from agent.ha import plan
from agent.ha.model import Group, groups, resources
from agent.ha.plan import Candidate, Situation
from agent.ha.transaction import AFTER
from tests.cluster.tree import CACHE, shared_tree

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

NODES = ("node1", "node2", "node3")
STATES = "".join(
    f'<node_state id="{number}" uname="{name}" in_ccm="1" crmd="1" join="member"'
    ' expected="member"/>'
    for number, name in enumerate(NODES, 1)
)
EMPTY = f"""\
<cib crm_feature_set="3.20.0" validate-with="pacemaker-4.0" epoch="1" num_updates="0"
 admin_epoch="0" have-quorum="1" dc-uuid="1"><configuration><crm_config>
<cluster_property_set id="cib-bootstrap-options">
<nvpair id="p1" name="have-watchdog" value="true"/>
<nvpair id="p2" name="stonith-watchdog-timeout" value="30"/></cluster_property_set></crm_config>
<nodes>{"".join(f'<node id="{n}" uname="{name}"/>' for n, name in enumerate(NODES, 1))}</nodes>
<resources/><constraints/></configuration><status>{STATES}</status></cib>
"""
WEB = Candidate("vm-web", Claim("node1", ("1" * 64,)))
PROD = Group(name="prod", nodes={"node1": 100, "node3": 300, "node2": 200}, restricted=False)
ONLY = Group(name="only", nodes={"node2": 200, "node1": 100}, restricted=True)


@dataclass(frozen=True)
class Offline:
    """A node's tree with a CIB in a file."""

    root: Path

    @property
    def file(self) -> Path:
        return self.root / AFTER.relative_to("/")

    def situation(self) -> Situation:
        """As `slipway ha` sees it on node1, with fencing on."""
        cib = ElementTree.parse(self.file).getroot()
        return Situation("node1", frozenset(NODES), groups=groups(cib), resources=resources(cib))

    def do(self, commands: Sequence[Command]) -> None:
        """Do the changes of the CIB, and nothing else."""
        for each in commands:
            if each.argv[:2] == ("pcs", "-f"):
                run(["chroot", self.root, *each.argv])

    def simulate(self, *events: str) -> str:
        """What Pacemaker would do, with its scores."""
        argv = ["crm_simulate", "--xml-file", str(AFTER), "--simulate", "--show-scores", *events]
        return run(["chroot", self.root, *argv]).stdout

    def place(self, resource: str, *events: str) -> str:
        """Where a resource would be, "" when nowhere."""
        revised = self.simulate(*events).rpartition("Revised Cluster Status")[2]
        found = re.search(rf"\* {resource}\s.*Started (\S+)", revised)
        return found[1] if found else ""


@pytest.fixture
def offline(tmp_path: Path) -> Iterator[Offline]:
    with shared_tree(CACHE.parent / "lab-scores") as lower:
        folders = [tmp_path / name for name in ("upper", "work", "root")]
        for folder in folders:
            folder.mkdir()
        upper, work, root = folders
        options = f"lowerdir={':'.join(map(str, lower))},upperdir={upper},workdir={work}"
        run(["mount", "-t", "overlay", "-o", options, "overlay", root])
        try:
            run(["mount", "-t", "proc", "proc", root / "proc"])
            made = Offline(root)
            made.file.parent.mkdir(parents=True)
            made.file.write_text(EMPTY)
            yield made
        finally:
            run(["umount", "--recursive", root])


def test_priorities_place_a_guest_and_the_next_node_takes_it_over(offline: Offline) -> None:
    offline.do(plan.set_group(PROD, offline.situation()))
    assert offline.situation().groups == {"prod": PROD}
    offline.do(plan.add(WEB, "prod", offline.situation(), failback=True))
    under = offline.situation().resources["vm-web"]
    assert (under.group, under.failback, under.local) == ("prod", True, False)
    assert offline.place("vm-web") == "node3"
    assert offline.place("vm-web", "--node-down", "node3") == "node2"
    changed = PROD.model_copy(update={"nodes": {"node1": 300, "node3": 100}})
    offline.do(plan.set_group(changed, offline.situation()))
    assert offline.situation().groups == {"prod": changed}
    assert offline.place("vm-web") == "node1"


def test_a_restricted_group_has_no_other_nodes(offline: Offline) -> None:
    offline.do(plan.set_group(ONLY, offline.situation()))
    offline.do(plan.add(WEB, "only", offline.situation(), failback=False))
    said = offline.simulate()
    for node, score in (("node1", "100"), ("node2", "200"), ("node3", "-INFINITY")):
        assert f"vm-web allocation score on {node}: {score}" in said
    assert offline.place("vm-web") == "node2"
    both = ("--node-down", "node1", "--node-down", "node2", "--quorum", "1")
    assert offline.place("vm-web", *both) == ""


@pytest.mark.parametrize(("failback", "place"), [(True, "node3"), (False, "node1")])
def test_a_guest_goes_back_only_if_asked(offline: Offline, failback: bool, place: str) -> None:
    """It runs on node1, and the better node3 is back."""
    offline.do(plan.set_group(PROD, offline.situation()))
    offline.do(plan.add(WEB, "prod", offline.situation(), failback=failback))
    offline.file.write_text(
        offline.file.read_text().replace(
            'join="member" expected="member"/>',
            'join="member" expected="member"><lrm id="1"><lrm_resources><lrm_resource id="vm-web"'
            ' class="ocf" provider="heartbeat" type="VirtualDomain"><lrm_rsc_op id="vm-web_last_0"'
            ' operation_key="vm-web_start_0" operation="start" crm_feature_set="3.20.0"'
            ' transition-key="1:1:0:0" transition-magic="0:0;1:1:0:0" call-id="1" rc-code="0"'
            ' op-status="0" interval="0"/></lrm_resource></lrm_resources></lrm></node_state>',
            1,
        )
    )
    assert "vm-web" in offline.simulate()
    assert offline.place("vm-web") == place


def test_the_last_change_takes_a_guest_out(offline: Offline) -> None:
    offline.do(plan.set_group(ONLY, offline.situation()))
    offline.do(plan.add(WEB, "only", offline.situation(), failback=False))
    delete = ("pcs", "resource", "delete", "--force", "vm-web")
    commands = plan.remove("vm-web", offline.situation(), node="node1", copied=True)
    assert delete in [each.argv for each in commands.begin]
    run(["chroot", offline.root, "pcs", "-f", str(AFTER), *delete[1:]])
    situation = offline.situation()
    assert situation.resources == {} and "rsc_location" not in offline.file.read_text()
    offline.do(plan.remove_group("only", replace(situation)))
    assert offline.situation().groups == {}
