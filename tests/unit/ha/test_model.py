"""Groups and guests under HA are read from the CIB; `slipway ha list --json` keeps its shape."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from agent.ha.model import Group, Listed, Resource, groups, resources, shown

CIB = ElementTree.fromstring(
    """
<cib><configuration>
 <nodes>
  <node id="1" uname="node1"><instance_attributes id="n1">
   <nvpair id="a" name="slipway-group-prod" value="300"/>
   <nvpair id="b" name="slipway-only-nas" value="10"/></instance_attributes></node>
  <node id="2" uname="node2"><instance_attributes id="n2">
   <nvpair id="c" name="slipway-group-prod" value="200"/>
   <nvpair id="d" name="standby" value="on"/></instance_attributes></node>
 </nodes>
 <resources>
  <primitive id="vm-web" class="ocf" provider="heartbeat" type="VirtualDomain">
   <instance_attributes id="i"><nvpair id="e" name="config"
     value="/var/lib/slipway/definitions/vm-web.xml"/>
    <nvpair id="f" name="migrate_options" value="--p2p --copy-storage-all"/></instance_attributes>
   <meta_attributes id="m"><nvpair id="g" name="resource-stickiness" value="0"/>
    <nvpair id="h" name="target-role" value="Stopped"/></meta_attributes></primitive>
  <primitive id="container-db" class="ocf" provider="heartbeat" type="lxc">
   <instance_attributes id="j"><nvpair id="k" name="config"
     value="/var/lib/slipway/definitions/container-db.conf"/></instance_attributes></primitive>
  <primitive id="address" class="ocf" provider="heartbeat" type="IPaddr2"/>
 </resources>
 <constraints><rsc_location id="l" rsc="vm-web">
  <rule id="r" score-attribute="slipway-group-prod"/></rsc_location></constraints>
</configuration></cib>"""
)
MONITOR = ElementTree.fromstring(
    """
<pacemaker-result><resources>
 <resource id="vm-web" role="Started" active="true" failed="false" blocked="false"
  pending="Migrating"><node name="node2"/></resource>
 <resource id="container-db" role="Stopped" active="false" failed="true" blocked="false"/>
</resources></pacemaker-result>"""
)


def test_groups_are_attributes_of_nodes() -> None:
    assert groups(CIB) == {
        "nas": Group(name="nas", nodes={"node1": 10}, restricted=True),
        "prod": Group(name="prod", nodes={"node1": 300, "node2": 200}, restricted=False),
    }


def test_guests_are_resources_with_a_copy() -> None:
    assert resources(CIB) == {
        "vm-web": Resource("vm-web", "prod", "stopped", failback=True, local=True),
        "container-db": Resource("container-db", None, "started", failback=False, local=True),
    }


def test_the_list_as_json() -> None:
    listed = Listed(
        enabled=False,
        why_off="no fencing",
        guests=shown(resources(CIB), MONITOR),
        groups=tuple(groups(CIB).values()),
    )
    found = json.loads(listed.model_dump_json())
    assert found["enabled"] is False and found["why_off"] == "no fencing"
    assert found["guests"][1] == {
        "name": "web",
        "kind": "machine",
        "group": "prod",
        "state": "migrating",
        "node": "node2",
        "wanted": "stopped",
        "failback": True,
    }
    assert found["guests"][0]["kind"] == "container"
    assert found["guests"][0]["state"] == "failed" and found["guests"][0]["node"] is None
    assert found["groups"][0] == {"name": "nas", "nodes": {"node1": 10}, "restricted": True}
