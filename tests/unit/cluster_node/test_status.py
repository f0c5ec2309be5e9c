"""The state of a cluster, from what pcs and crm_mon print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent.cluster import configuration, knet, sbd, status
from agent.cluster.configuration import READER, Configuration
from agent.cluster.fencing import Watchdog
from agent.cluster.monitor import View, parse
from agent.cluster.sbd import Sbd
from agent.core.command import Result
from agent.core.errors import SlipwayError

DATA = Path(__file__).parents[2] / "data" / "cluster"
ON = Sbd(enabled=True, running=True, watchdog_seconds=10, fencing_seconds=30)
HARDWARE = Watchdog("i6300ESB timer", hardware=True)


@pytest.fixture
def made() -> Configuration:
    return READER.validate_json((DATA / "config.json").read_text())


@pytest.fixture
def view() -> View:
    return parse((DATA / "crm_mon.xml").read_text())


def state(made: Configuration, view: View | None, told: Sbd = ON) -> status.Cluster:
    return status.compose(made, view, told, HARDWARE, "node1")


def test_a_cluster_that_lost_a_node(made: Configuration, view: View) -> None:
    found = state(made, view)
    assert [(member.name, member.state) for member in found.members] == [
        ("node1", "online"),
        ("node2", "online"),
        ("node3", "offline"),
    ]
    assert found.members[0].addresses == ("10.77.0.1", "10.77.1.1")
    assert (found.quorum.quorate, found.quorum.online, found.quorum.may_fail) == (True, 2, 0)
    assert found.ha and found.why_off == ""
    assert status.offline(found) == ("node3",)
    assert "HA: on" in status.text(found)
    assert "none of the 2 online nodes may fail now" in status.text(found)
    assert json.loads(found.model_dump_json())["members"][2]["state"] == "offline"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (replace(ON, enabled=False, running=False), "switch it on with: slipway ha enable"),
        (replace(ON, running=False), "sbd does not run"),
        (replace(ON, fencing_seconds=0), "do not wait"),
    ],
)
def test_why_ha_is_off(made: Configuration, view: View, told: Sbd, said: str) -> None:
    found = state(made, view, told)
    assert not found.ha
    assert said in found.why_off
    assert f"HA: off, {found.why_off}" in status.text(found)


STATISTICS = """\
stats.knet.node2.link0.connected (u8) = 1
stats.knet.node2.link0.down_count (u32) = 0
stats.knet.node2.link1.connected (u8) = 0
stats.knet.node3.link0.connected (u8) = 0
stats.knet.node3.link1.connected (u8) = 0
"""


def test_links_that_are_down_to_members_that_are_online(made: Configuration, view: View) -> None:
    lost = knet.parse(STATISTICS)
    assert lost == {2: (1,), 3: (0, 1)}
    found = status.compose(made, view, ON, HARDWARE, "node1", lost)
    assert [member.lost_links for member in found.members] == [(), (1,), ()]
    assert "10.77.0.2, 10.77.1.2  link 1 down\n" in status.text(found)
    assert status.words((0, 1)) == "links 0 and 1"


def test_without_a_watchdog(made: Configuration, view: View) -> None:
    found = status.compose(made, view, ON, None, "node1")
    assert "no watchdog" in found.why_off
    assert any("cannot be fenced" in line for line in found.advice)


def test_a_cold_start_waits_for_everybody(made: Configuration, view: View) -> None:
    found = state(made, replace(view, quorate=False))
    assert "node3 is missing" in found.why_off
    assert "pcs quorum unblock" in found.why_off
    assert "NO QUORUM" in status.text(found)
    without_fencing = state(made, replace(view, quorate=False), replace(ON, enabled=False))
    assert without_fencing.why_off == found.why_off


def test_what_pacemaker_runs_and_fenced(view: View) -> None:
    assert view.resources == ("vm1",)
    assert [(event.target, event.action, event.status) for event in view.fenced] == [
        ("node3", "reboot", "success")
    ]


def test_a_cluster_that_does_not_run_here(made: Configuration) -> None:
    found = state(made, None)
    assert {member.state for member in found.members} == {"offline"}
    assert "does not run on this node" in found.why_off


def test_a_node_without_a_cluster(tmp_path: Path) -> None:
    assert configuration.read(tmp_path / "corosync.conf") is None


def test_pcs_is_asked_once_for_each_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def pcs(argv: Sequence[str | Path], **_options: object) -> Result:
        name = Path(argv[-1]).read_text()
        asked.append(name)
        return Result((), 0, json.dumps({"cluster_name": name, "nodes": []}), "")

    monkeypatch.setattr(configuration, "run", pcs)
    path, kept = tmp_path / "corosync.conf", tmp_path / "kept"
    for name in ("lab", "lab", "other", "other"):
        path.write_text(name)
        made = configuration.read(path, kept)
        assert made is not None and made.cluster_name == name
    assert asked == ["lab", "other"]
    assert len(list(kept.iterdir())) == 1


def test_the_words_of_a_node_without_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "read", lambda: None)
    with pytest.raises(SlipwayError, match="belongs to no cluster"):
        status.look("node1")


def test_settings_of_sbd(tmp_path: Path) -> None:
    path = tmp_path / "sbd"
    path.write_text('# comment\nSBD_WATCHDOG_TIMEOUT=10\nSBD_OPTS="-n node1"\n')
    assert sbd.settings(path) == {"SBD_WATCHDOG_TIMEOUT": "10", "SBD_OPTS": "-n node1"}
    assert sbd.settings(tmp_path / "nothing") == {}
