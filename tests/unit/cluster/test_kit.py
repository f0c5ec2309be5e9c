"""Kits: offline, complete, and nothing of one node's secrets at another."""

from __future__ import annotations

import datetime
import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.cluster import kit, token
from agent.cluster.authority import Authority
from agent.core.errors import SlipwayError

NOW = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)
NODES = ("node1", "node2", "node3")
ADDRESSES = {"node1": "192.0.2.1", "node2": "192.0.2.2", "node3": "2001:db8::3"}
TOP = Path(__file__).resolve().parents[3]


def test_the_first_creates_and_the_others_join() -> None:
    made = kit.make("lab", NODES, ADDRESSES, NOW)
    tables = {node: tomllib.loads(part.table())["cluster"] for node, part in made.items()}
    assert [tables[node]["mode"] for node in NODES] == ["create", "join", "join"]
    first = tables["node1"]
    assert first["name"] == "lab"
    authority = Authority.load(first["authority"])
    records = [token.Record.parse(text) for text in first["tokens"]]
    for node, record in zip(NODES[1:], records, strict=True):
        ticket = token.Token.decode(tables[node]["token"])
        assert ticket.fingerprint == authority.fingerprint
        assert token.accepts(record, ticket.secret, node, NOW.timestamp())
        assert not token.accepts(record, ticket.secret, "node1", NOW.timestamp())
        assert ticket.secret not in made["node1"].table()


def test_a_node_looks_for_the_first_one_first_and_never_for_itself() -> None:
    made = kit.make("lab", NODES, ADDRESSES, NOW)["node2"]
    assert isinstance(made, kit.Join)
    assert made.token.members == ("192.0.2.1:2226", "[2001:db8::3]:2226")


def test_without_addresses_nodes_are_looked_for_by_name() -> None:
    made = kit.make("lab", NODES, {}, NOW)["node3"]
    assert isinstance(made, kit.Join)
    assert made.token.members == ("node1:2226", "node2:2226")


@pytest.mark.parametrize(
    ("nodes", "addresses"),
    [
        ((), {}),
        (("a", "a"), {}),
        (("Node_1",), {}),
        (("a", "b"), {"a": "192.0.2.1", "b": "192.0.2.1"}),
        (("a", "b"), {"a": "192.0.2.1", "b": "192.0.2.256"}),
    ],
)
def test_bad_names_and_addresses_are_refused(
    nodes: tuple[str, ...], addresses: dict[str, str]
) -> None:
    with pytest.raises(SlipwayError):
        kit.make("lab", nodes, addresses, NOW)


def test_files_are_for_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "kit"
    assert main(["kit", "lab", "--nodes", "a,b", "--output", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["a.toml", "b.toml"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_it_needs_no_root() -> None:
    def become_nobody() -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    argv = [sys.executable, "-m", "agent", "kit", "lab", "--nodes", "a,b,c"]
    drop = become_nobody if os.geteuid() == 0 else None
    done = subprocess.run(argv, cwd=TOP, preexec_fn=drop, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[cluster]") == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["kit", "a name", "--nodes", "a"],
        ["kit", "lab", "--nodes", "a,b", "--addresses", "192.0.2.1"],
    ],
)
def test_bad_arguments_end_with_a_reason(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert "slipway: " in capsys.readouterr().err
