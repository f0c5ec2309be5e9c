"""libvirt: whether it answers, and its storage pools. The only place that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, assert_never
from xml.etree import ElementTree

from agent.config import Directory, GuestStorage, LvmThin, Zfs
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


def pools(uri: str = SYSTEM) -> dict[str, bool]:
    """Every defined pool by its name, and whether it is active. Raises Retry."""
    with _connection(uri) as connection:
        return {pool.name(): bool(pool.isActive()) for pool in connection.listAllStoragePools()}


@dataclass(frozen=True)
class Volume:
    """A volume of a pool. size: bytes; format: "qcow2", "raw", empty where libvirt tells none."""

    pool: str
    name: str
    size: int
    format: str


def volumes(uri: str = SYSTEM) -> tuple[str, ...]:
    """POOL/NAME of every volume in active pools. Raises Retry."""
    with _connection(uri) as connection:
        pools = [pool for pool in connection.listAllStoragePools() if pool.isActive()]
        return tuple(f"{pool.name()}/{name}" for pool in pools for name in pool.listVolumes())


def volume(place: Path | tuple[str, str], uri: str = SYSTEM) -> Volume | None:
    """The volume at a path, or of a pool and a name; None when there is none. Raises Retry."""
    import libvirt

    with _connection(uri) as connection:
        try:
            if isinstance(place, Path):
                found = connection.storageVolLookupByPath(str(place))
                pool = found.storagePoolLookupByVolume()
            else:
                pool = connection.storagePoolLookupByName(place[0])
                found = pool.storageVolLookupByName(place[1])
        except libvirt.libvirtError:
            return None
        form = ElementTree.fromstring(found.XMLDesc(0)).find("target/format")
        kind = "" if form is None else form.get("type", "")
        return Volume(pool.name(), found.name(), found.info()[1], kind)


@dataclass(frozen=True)
class Guest:
    """A virtual machine. autostart: it starts with the node; xml: its definition."""

    name: str
    active: bool
    autostart: bool
    xml: str


def guests(uri: str = SYSTEM) -> tuple[Guest, ...]:
    """Every virtual machine that is defined or runs. Raises Retry."""
    with _connection(uri) as connection:
        return tuple(
            Guest(one.name(), bool(one.isActive()), _starts_with_node(one), one.XMLDesc(0))
            for one in connection.listAllDomains()
        )


def active(uri: str = SYSTEM) -> dict[str, bool]:
    """Virtual machines that are on, and whether each runs or is paused. Raises Retry."""
    import libvirt

    on, running = libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE, libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING
    with _connection(uri) as connection:
        run = {domain.name() for domain in connection.listAllDomains(running)}
        return {domain.name(): domain.name() in run for domain in connection.listAllDomains(on)}


@dataclass(frozen=True)
class Machine:
    """A virtual machine as it is now. autostart: it starts with the node."""

    name: str
    state: Literal["running", "paused", "stopped", "other"]
    cores: int
    memory_kib: int
    autostart: bool


def machines(uri: str = SYSTEM) -> tuple[Machine, ...]:
    """Every virtual machine that is defined or runs. Raises Retry."""
    with _connection(uri) as connection:
        return tuple(map(_machine, connection.listAllDomains()))


def _machine(domain: Any) -> Machine:
    import libvirt

    words: dict[int, Literal["running", "paused", "stopped"]] = {
        libvirt.VIR_DOMAIN_RUNNING: "running",
        libvirt.VIR_DOMAIN_BLOCKED: "running",
        libvirt.VIR_DOMAIN_SHUTDOWN: "running",
        libvirt.VIR_DOMAIN_PAUSED: "paused",
        libvirt.VIR_DOMAIN_PMSUSPENDED: "paused",
        libvirt.VIR_DOMAIN_SHUTOFF: "stopped",
    }
    state, most_kib, _kib, cores, _time = domain.info()
    return Machine(
        name=domain.name(),
        state=words.get(state, "other"),
        cores=cores,
        memory_kib=most_kib,
        autostart=_starts_with_node(domain),
    )


@dataclass(frozen=True)
class Pool:
    """A storage pool. path: where it is mounted or its files lie, empty for other kinds; bytes as
    libvirt counted them last.
    """

    name: str
    kind: str
    active: bool
    path: str
    capacity_bytes: int
    available_bytes: int


def pools_in_full(uri: str = SYSTEM) -> tuple[Pool, ...]:
    """Every defined pool, by name. Raises Retry."""
    with _connection(uri) as connection:
        found = [_pool(pool) for pool in connection.listAllStoragePools()]
    return tuple(sorted(found, key=lambda pool: pool.name))


def _pool(pool: Any) -> Pool:
    root = ElementTree.fromstring(pool.XMLDesc(0))
    kind = root.get("type", "")
    _state, capacity, _allocation, available = pool.info()
    return Pool(
        name=pool.name(),
        kind=kind,
        active=bool(pool.isActive()),
        path=root.findtext("target/path", "") if kind in ("dir", "fs", "netfs") else "",
        capacity_bytes=capacity,
        available_bytes=available,
    )


def ties(name: str, uri: str = SYSTEM) -> tuple[str, ...]:
    """What libvirt keeps of a machine on this node alone, in words. Raises Retry."""
    with _connection(uri) as connection:
        domain = connection.lookupByName(name)
        said = [f"it has the snapshot {each}" for each in domain.snapshotListNames()]
        said += [f"it has the checkpoint {each.getName()}" for each in domain.listAllCheckpoints()]
        said += ["its memory is saved"] if domain.hasManagedSaveImage() else []
        return tuple(said)


def _starts_with_node(domain: Any) -> bool:
    # A transient one cannot be asked.
    return bool(domain.isPersistent() and domain.autostart())


def register(name: str, storage: GuestStorage, uri: str = SYSTEM) -> None:
    """Define a pool over the storage, activate it, now and always. A directory is made if needed.

    Raises WaitForOperator when a pool of that name has another place, Retry when libvirt fails.
    """
    with _connection(uri) as connection:
        pool = _find(connection, name)
        if pool is None:
            pool = connection.storagePoolDefineXML(pool_xml(name, storage), 0)
        _check_place(pool, storage)
        if not pool.isActive():
            if isinstance(storage, Directory):
                storage.path.mkdir(parents=True, exist_ok=True)
            pool.create(0)
        if not pool.autostart():
            pool.setAutostart(1)


def _check_place(pool: Any, storage: GuestStorage) -> None:
    _, where, wanted = _place(storage)
    place = ElementTree.fromstring(pool.XMLDesc(0)).findtext(where)
    if place != wanted:
        raise WaitForOperator(
            f"the pool {pool.name()} is at {place}, not at {wanted}",
            hint=f"give it another name, or run: virsh pool-undefine {pool.name()}",
        )


def _place(storage: GuestStorage) -> tuple[str, str, str]:
    """libvirt's type of pool, and which element of its XML says where the pool is."""
    match storage:
        case Directory(path=path):
            return "dir", "target/path", str(path)
        case LvmThin(volume_group=group):
            return "logical", "source/name", group
        case Zfs(dataset=dataset):
            return "zfs", "source/name", dataset
        case _:
            assert_never(storage)


def _find(connection: Any, name: str) -> Any:
    return next((pool for pool in connection.listAllStoragePools() if pool.name() == name), None)


def pool_xml(name: str, storage: GuestStorage) -> str:
    """libvirt's definition of a pool."""
    kind, where, place = _place(storage)
    parent, _, child = where.partition("/")
    pool = ElementTree.Element("pool", type=kind)
    ElementTree.SubElement(pool, "name").text = name
    ElementTree.SubElement(ElementTree.SubElement(pool, parent), child).text = place
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
