"""[[storage]] of an answer: what the installer leaves for the agent."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from pydantic import TypeAdapter

from agent.config import Directory, LvmThin, Zfs
from agent.storages import model
from installer.answers.storages import AnyStorage
from installer.plan.storages import (
    plan_storage_of,
    storage_files,
    storage_secret_files,
    storage_secrets,
)

ANSWER: TypeAdapter[AnyStorage] = TypeAdapter(AnyStorage)
AGENT: TypeAdapter[model.Storage] = TypeAdapter(model.Storage)
TABLES: list[dict[str, Any]] = [
    {"type": "directory", "path": "/srv/disks"},
    {"type": "lvm", "volume-group": "shared"},
    {"type": "lvm-thin", "volume-group": "fast", "thin-pool": "data"},
    {"type": "zfs", "dataset": "tank/guests"},
    {"type": "nfs", "server": "192.0.2.9", "export": "/export", "version": "4.1"},
    {"type": "smb", "server": "nas.example.org", "share": "guests"},
    {
        "type": "smb",
        "server": "nas.example.org",
        "share": "guests",
        "username": "node",
        "password": "geheim",
    },
    {"type": "iscsi", "portal": "192.0.2.9", "target": "iqn.2026-11.org.example:disks"},
    {"type": "rbd", "monitors": ["192.0.2.1"], "pool": "guests", "key": "geheim"},
    {"type": "gluster", "servers": ["192.0.2.1", "192.0.2.2"], "volume": "guests"},
]


def parse(table: dict[str, Any]) -> AnyStorage:
    return ANSWER.validate_python({"name": "one", **table})


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table["type"]))
def test_the_agent_reads_what_the_installer_writes(table: dict[str, Any]) -> None:
    storage = parse(table)
    (file,) = storage_files([storage])
    assert file.path == "/etc/slipway/storages/one.toml"
    assert "geheim" not in file.content
    read = AGENT.validate_python(tomllib.loads(file.content))
    assert read == plan_storage_of(storage)
    assert read.kind == table["type"]
    assert model.needs_secret(read) is bool(storage_secrets([storage]))


def test_secrets_are_beside_the_files() -> None:
    storages = [parse(table) for table in TABLES if "geheim" in table.values()]
    assert {secret.get_secret_value() for secret in storage_secrets(storages).values()} == {
        "geheim"
    }
    for action in storage_secret_files(storages):
        assert action.path == "/etc/slipway/storages/one.secret"
        assert action.secret in storage_secrets(storages)


def test_local_storages_are_those_of_the_node() -> None:
    kinds = [type(plan_storage_of(parse(table))) for table in TABLES[:4]]
    assert kinds == [Directory, model.Lvm, LvmThin, Zfs]
