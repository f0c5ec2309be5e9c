"""Pools on libvirt's own test driver, where its Python module is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import hypervisor
from agent.config import Directory, LvmThin, Zfs
from agent.step import Retry, WaitForOperator

libvirt = pytest.importorskip("libvirt")
URI = "test:///default"


@pytest.fixture
def libvirtd() -> Iterator[Any]:
    """The test driver forgets everything with its last connection."""
    connection = libvirt.open(URI)
    yield connection
    connection.close()


def test_the_hypervisor_answers(libvirtd: Any) -> None:
    hypervisor.prove(URI)


def test_a_hypervisor_that_is_not_there() -> None:
    with pytest.raises(Retry, match="nothing:///at/all"):
        hypervisor.prove("nothing:///at/all")


def test_a_pool_is_registered_once(libvirtd: Any, tmp_path: Path) -> None:
    assert hypervisor.pool_missing("local", URI) == ("the pool local is not defined",)
    path = tmp_path / "images & more"
    hypervisor.register("local", Directory(path=path), URI)
    assert hypervisor.pool_missing("local", URI) == ()
    assert path.is_dir()
    identity = libvirtd.storagePoolLookupByName("local").UUIDString()
    hypervisor.register("local", Directory(path=path), URI)
    assert libvirtd.storagePoolLookupByName("local").UUIDString() == identity


def test_a_pool_that_was_stopped_is_activated(libvirtd: Any, tmp_path: Path) -> None:
    hypervisor.register("local", Directory(path=tmp_path), URI)
    pool = libvirtd.storagePoolLookupByName("local")
    pool.destroy()
    pool.setAutostart(0)
    assert hypervisor.pool_missing("local", URI) == (
        "the pool local is not active",
        "the pool local does not start with the node",
    )
    hypervisor.register("local", Directory(path=tmp_path), URI)
    assert hypervisor.pool_missing("local", URI) == ()


def test_a_pool_of_somebody_else_is_not_touched(libvirtd: Any, tmp_path: Path) -> None:
    hypervisor.register("local", Directory(path=tmp_path / "theirs"), URI)
    with pytest.raises(WaitForOperator, match="theirs, not at .*ours"):
        hypervisor.register("local", Directory(path=tmp_path / "ours"), URI)


def test_pools_of_volume_groups_and_datasets() -> None:
    assert hypervisor.pool_xml("fast", LvmThin(volume_group="fast", thin_pool="data")) == (
        '<pool type="logical"><name>fast</name><source><name>fast</name></source></pool>'
    )
    assert hypervisor.pool_xml("tank", Zfs(dataset="tank")) == (
        '<pool type="zfs"><name>tank</name><source><name>tank</name></source></pool>'
    )
