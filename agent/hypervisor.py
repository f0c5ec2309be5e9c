"""libvirt: whether it answers, and its directory pools. The only place that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from agent.step import Retry, WaitForOperator

SYSTEM = "qemu:///system"


def prove(uri: str) -> None:
    """The hypervisor behind libvirt tells its version. Raises Retry."""
    with _connection(uri) as connection:
        connection.getVersion()


def pool_missing(name: str, uri: str = SYSTEM) -> tuple[str, ...]:
    """What keeps the pool from being active and starting with the node. Raises Retry."""
    with _connection(uri) as connection:
        pool = _find(connection, name)
        if pool is None:
            return (f"the pool {name} is not defined",)
        missing = []
        if not pool.isActive():
            missing.append(f"the pool {name} is not active")
        if not pool.autostart():
            missing.append(f"the pool {name} does not start with the node")
        return tuple(missing)


def register_directory(name: str, path: Path, uri: str = SYSTEM) -> None:
    """Define a pool over the directory, make the directory, activate the pool, now and always.

    Raises WaitForOperator when a pool of that name has another place, Retry when libvirt fails.
    """
    with _connection(uri) as connection:
        pool = _find(connection, name)
        if pool is None:
            pool = connection.storagePoolDefineXML(_directory_xml(name, path), 0)
        _check_place(pool, path)
        if not pool.isActive():
            path.mkdir(parents=True, exist_ok=True)
            pool.create(0)
        if not pool.autostart():
            pool.setAutostart(1)


def _check_place(pool: Any, path: Path) -> None:
    place = ElementTree.fromstring(pool.XMLDesc(0)).findtext("target/path")
    if place != str(path):
        raise WaitForOperator(
            f"the pool {pool.name()} is at {place}, not at {path}",
            hint=f"give it another name, or run: virsh pool-undefine {pool.name()}",
        )


def _find(connection: Any, name: str) -> Any:
    return next((pool for pool in connection.listAllStoragePools() if pool.name() == name), None)


def _directory_xml(name: str, path: Path) -> str:
    pool = ElementTree.Element("pool", type="dir")
    ElementTree.SubElement(pool, "name").text = name
    ElementTree.SubElement(ElementTree.SubElement(pool, "target"), "path").text = str(path)
    return ElementTree.tostring(pool, encoding="unicode")


@contextmanager
def _connection(uri: str) -> Iterator[Any]:
    import libvirt

    # Without a handler libvirt prints every error by itself.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    try:
        connection = libvirt.open(uri)
        try:
            yield connection
        finally:
            connection.close()
    except libvirt.libvirtError as error:
        raise Retry(
            f"libvirt ({uri}) failed: {error}", hint="see: journalctl -b -u libvirtd.service"
        ) from error
