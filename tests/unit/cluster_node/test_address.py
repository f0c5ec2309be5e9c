"""The address of the cluster's page: who may have it, and what pcs is told."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest

from agent.cluster import address, status
from agent.cluster.address import Address
from agent.cluster.configuration import READER
from agent.cluster.monitor import parse
from agent.cluster.status import Cluster
from agent.core.errors import SlipwayError
from tests.unit.cluster_node.test_status import DATA, HARDWARE, ON

OWN = {"eth0": (ip_interface("10.77.0.1/24"),), "lo": (ip_interface("127.0.0.1/8"),)}
RESOURCES = """<resources>
  <primitive id="web"><instance_attributes id="a"><nvpair id="b" name="ip" value="192.0.2.1"/>
  </instance_attributes></primitive>
  <primitive id="slipway-address" class="ocf" provider="heartbeat" type="IPaddr2">
    <instance_attributes id="c"><nvpair id="d" name="ip" value="10.77.0.9"/>
    <nvpair id="e" name="cidr_netmask" value="24"/></instance_attributes></primitive>
</resources>"""
RUNNING = """<pacemaker-result><resources>
  <resource id="slipway-address" active="true"><node name="node2" id="2" cached="true"/></resource>
</resources></pacemaker-result>"""


@pytest.fixture
def state() -> Cluster:
    made = READER.validate_json((DATA / "config.json").read_text())
    view = parse((DATA / "crm_mon.xml").read_text())
    return status.compose(made, view, ON, HARDWARE, "node1")


def test_an_address_in_a_network_of_the_nodes(state: Cluster) -> None:
    wanted = address.parse("10.77.0.9/24")
    address.check(wanted, state, OWN)
    (command,) = address.plan_set(wanted, None)
    assert str(command) == (
        "pcs resource create slipway-address ocf:heartbeat:IPaddr2 ip=10.77.0.9 cidr_netmask=24 "
        "op monitor interval=10s"
    )
    (command,) = address.plan_set(wanted, Address("10.77.0.8", "24"))
    assert str(command) == "pcs resource update slipway-address ip=10.77.0.9 cidr_netmask=24"


def test_without_fencing_it_is_refused_with_the_reason(state: Cluster) -> None:
    why = "fencing is off: switch it on with: slipway ha enable"
    off = state.model_copy(update={"ha": False, "why_off": why})
    with pytest.raises(SlipwayError, match="needs fencing") as caught:
        address.check(address.parse("10.77.0.9/24"), off, OWN)
    assert caught.value.hint == why


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10.77.0.2/24", "an address of node2"),
        ("192.0.2.9/24", "in no such network\n  it is in: 10.77.0.0/24"),
        ("10.77.0.9/16", "in no such network"),
        ("2001:db8::9/64", "in no such network"),
    ],
)
def test_an_address_that_cannot_be(state: Cluster, text: str, words: str) -> None:
    with pytest.raises(SlipwayError, match=words):
        address.check(address.parse(text), state, OWN)


@pytest.mark.parametrize("text", ["10.77.0.9", "web/24", "10.77.0.9/33", "--all"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(SlipwayError, match="no address with its prefix"):
        address.parse(text)


def test_the_address_that_is_set_and_who_has_it() -> None:
    found = address.find(RESOURCES)
    assert str(found) == "10.77.0.9/24"
    assert address.find("<resources/>") is None
    assert [str(each) for each in address.plan_remove(found)] == [
        "pcs resource delete slipway-address"
    ]
    with pytest.raises(SlipwayError, match="no address of its own"):
        address.plan_remove(None)
    assert address.find_holder(RUNNING) == "node2"
    assert address.find_holder(RUNNING.replace("true", "false")) == ""
    assert address.find_holder("<pacemaker-result/>") == ""
