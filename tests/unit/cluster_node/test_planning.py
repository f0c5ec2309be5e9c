"""[cluster] of the answer: what of it reaches the plan, the node's files, and its secrets."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from agent import config
from agent.core.errors import SlipwayError
from installer.execute.files import write_secret
from installer.plan.cluster import ClusterError, cluster_warnings, plan_cluster
from installer.plan.model import Plan, WriteSecret
from installer.plan.planner import make_plan, secrets_of
from tests.unit.answers.files import MINIMAL, load
from tests.unit.network.machines import STATIC, machine, network, nic, plan, static
from tests.unit.storage.machines import disk
from tests.unit.storage.machines import machine as storage_machine

TOKEN = "Zq7token"
KIT = {"authority": "Zq7 certificate and key", "tokens": ["Zq7record"]}
TWO_LINKS = {
    **STATIC,
    "bridges": [{"name": "vmbr1", "ports": ["eno2"], "cidr": "10.9.0.1/24"}],
    "interface": "eno1",
}


def planned(cluster: dict[str, Any]) -> tuple[Plan, Any]:
    answer = load(MINIMAL | {"network": STATIC, "cluster": cluster}).answer
    inventory = storage_machine(disk("sda")).model_copy(update={"interfaces": (nic(1),)})
    return make_plan(answer, inventory), answer


def node_config(made: Plan) -> config.NodeConfig:
    (text,) = (file.content for file in made.files if file.path == str(config.PATH))
    return config.parse(text)


def test_a_node_without_a_cluster_is_as_before() -> None:
    made, answer = planned({"mode": "none"})
    assert node_config(made).cluster == config.Cluster()
    assert not [action for action in made.actions if isinstance(action, WriteSecret)]
    assert set(secrets_of(answer)) == {"root"}


def test_create_reaches_the_node_and_its_secrets_do_not_reach_the_plan() -> None:
    made, answer = planned({"mode": "create", "name": "lab", "ha": True, **KIT})
    assert node_config(made).cluster == config.Cluster(mode="create", name="lab", ha=True)
    (action,) = (action for action in made.actions if isinstance(action, WriteSecret))
    assert action.path == str(config.CLUSTER_KIT)
    content = json.loads(secrets_of(answer)[action.secret].get_secret_value())
    assert content == KIT
    assert "Zq7" not in made.model_dump_json()


def test_join_leaves_its_token_for_the_agent() -> None:
    made, answer = planned({"mode": "join", "token": TOKEN, "links": ["192.0.2.0/24"]})
    assert node_config(made).cluster == config.Cluster(mode="join", links=("192.0.2.0/24",))
    (action,) = (action for action in made.actions if isinstance(action, WriteSecret))
    assert action.path == str(config.JOIN_TOKEN)
    assert secrets_of(answer)[action.secret].get_secret_value() == TOKEN
    assert TOKEN not in made.model_dump_json()
    kinds: list[str] = [step.kind for step in made.actions]
    assert kinds.index("write-files") < kinds.index("write-secret") < kinds.index("keep-log")


def test_a_secret_is_for_root_alone(tmp_path: Any) -> None:
    write_secret(TOKEN, str(config.JOIN_TOKEN), tmp_path)
    file = tmp_path / str(config.JOIN_TOKEN).lstrip("/")
    assert file.read_text() == TOKEN
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", ["192.0.2.10", "192.0.2.0/24", "vmbr0"])
def test_links_are_found_on_the_node(place: str) -> None:
    cluster = load(MINIMAL | {"cluster": join(place)}).answer.cluster
    assert plan_cluster(cluster, plan(static())).links == (place,)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("192.0.2.11", "no address that fits the link 192.0.2.11"),
        ("10.0.0.0/8", "no address that fits the link 10.0.0.0/8"),
        ("eno7", "no link eno7"),
        ("eno1", "no address that fits the link eno1"),
    ],
)
def test_a_link_that_the_node_does_not_have(place: str, message: str) -> None:
    cluster = load(MINIMAL | {"cluster": join(place)}).answer.cluster
    with pytest.raises(ClusterError, match=message):
        plan_cluster(cluster, plan(static()))


def test_a_network_with_two_addresses_of_the_node() -> None:
    cluster = load(MINIMAL | {"cluster": join("192.0.2.0/24")}).answer.cluster
    both = static(cidr=["192.0.2.10/24", "192.0.2.12/24"])
    with pytest.raises(ClusterError, match="several addresses"):
        plan_cluster(cluster, plan(both))


def test_an_address_by_dhcp_is_accepted_with_a_warning() -> None:
    cluster = load(MINIMAL | {"cluster": join()}).answer.cluster
    leased = plan(network(source="dhcp", interface="eno1"))
    assert plan_cluster(cluster, leased).mode == "join"
    assert "address from DHCP" in "\n".join(cluster_warnings(cluster, leased))
    assert "DHCP" not in "\n".join(cluster_warnings(cluster, plan(static())))


def test_two_links_need_no_warning() -> None:
    cluster = load(MINIMAL | {"cluster": join("vmbr0", "vmbr1")}).answer.cluster
    both = plan(network(**TWO_LINKS), machine(nic(1), nic(2)))
    assert plan_cluster(cluster, both).links == ("vmbr0", "vmbr1")
    assert list(cluster_warnings(cluster, both)) == []


def test_a_name_that_no_member_can_have() -> None:
    cluster = load(MINIMAL | {"cluster": join()}).answer.cluster
    upper = plan(static()).model_copy(update={"fqdn": "Node1.example.com"})
    with pytest.raises(ClusterError, match="Node1 cannot be the name of a member"):
        plan_cluster(cluster, upper)


def join(*links: str) -> dict[str, Any]:
    return {"mode": "join", "token": TOKEN, "links": list(links)}


def test_the_file_of_a_node_is_toml_with_a_cluster_table() -> None:
    made, _ = planned({"mode": "create", "name": "lab", "links": ["vmbr0"]})
    (text,) = (file.content for file in made.files if file.path == str(config.PATH))
    assert tomllib.loads(text)["cluster"] == {
        "mode": "create",
        "name": "lab",
        "links": ["vmbr0"],
        "ha": False,
    }


def test_the_quorum_device_comes_later_and_the_refusal_says_how() -> None:
    device = {"host": "q.example.org", "algorithm": "lms"}
    with pytest.raises(SlipwayError, match="when it has two members") as caught:
        planned({"mode": "create", "name": "lab", "qdevice": device})
    command = "slipway cluster qdevice add q.example.org --algorithm lms"
    assert command in (caught.value.hint or "")
