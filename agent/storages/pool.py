"""libvirt's definitions of storages: XML of pools and secrets."""

from __future__ import annotations

from typing import assert_never
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from agent.config import Directory, LvmThin, Zfs
from agent.storages.model import (
    MOUNTS,
    Gluster,
    Iscsi,
    Lvm,
    Nfs,
    Rbd,
    Smb,
    Storage,
    needs_secret,
)

LUNS = "/dev/disk/by-path"


def pool_xml(name: str, storage: Storage, server: str = "") -> str:
    """The definition of a pool. server: the one of several that answers."""
    pool = Element("pool", type=_TYPES[type(storage)])
    SubElement(pool, "name").text = name
    # With the same UUID a pool can be defined again, with another server.
    SubElement(pool, "uuid").text = _identity("pool", name)
    source, target = SubElement(pool, "source"), SubElement(pool, "target")
    _fill(source, target, name, storage, server)
    for element in (source, target):
        if len(element) == 0:
            pool.remove(element)
    ElementTree.indent(pool)
    return ElementTree.tostring(pool, encoding="unicode") + "\n"


# A share is mounted by us: libvirt's netfs knows no passwords.
_TYPES: dict[type, str] = {
    Directory: "dir",
    Lvm: "logical",
    LvmThin: "dir",
    Zfs: "zfs",
    Nfs: "netfs",
    Smb: "dir",
    Iscsi: "iscsi",
    Rbd: "rbd",
    Gluster: "gluster",
}


def _fill(source: Element, target: Element, name: str, storage: Storage, server: str) -> None:
    match storage:
        case Directory(path=path):
            SubElement(target, "path").text = str(path)
        case Lvm(volume_group=group):
            SubElement(source, "name").text = group
        case Zfs(dataset=dataset):
            SubElement(source, "name").text = dataset
        case LvmThin() | Smb():
            SubElement(target, "path").text = str(MOUNTS / name)
        case Nfs():
            _fill_nfs(source, storage)
            SubElement(target, "path").text = str(MOUNTS / name)
        case Iscsi():
            _fill_iscsi(source, name, storage)
            SubElement(target, "path").text = LUNS
        case Rbd():
            for monitor in storage.monitors:
                SubElement(source, "host", name=monitor)
            SubElement(source, "name").text = storage.pool
            _fill_auth(source, name, "ceph", storage.username)
        case Gluster():
            SubElement(source, "host", name=server or storage.servers[0])
            SubElement(source, "dir", path="/")
            SubElement(source, "name").text = storage.volume
        case _:
            assert_never(storage)


def _fill_nfs(source: Element, storage: Nfs) -> None:
    SubElement(source, "host", name=storage.server)
    SubElement(source, "dir", path=storage.export)
    SubElement(source, "format", type="nfs")
    if storage.version:
        SubElement(source, "protocol", ver=storage.version)


def _fill_iscsi(source: Element, name: str, storage: Iscsi) -> None:
    SubElement(source, "host", name=storage.portal, port=str(storage.port))
    SubElement(source, "device", path=storage.target)
    if storage.username:
        _fill_auth(source, name, "chap", storage.username)


def _fill_auth(source: Element, name: str, kind: str, username: str) -> None:
    auth = SubElement(source, "auth", type=kind, username=username)
    SubElement(auth, "secret", uuid=secret_id(name))


def secret_id(name: str) -> str:
    """The UUID of a storage's secret in libvirt, the same on every node."""
    return _identity("secret", name)


def _identity(what: str, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"slipway:storage:{name}:{what}"))


def secret_xml(name: str, storage: Storage) -> str:
    """The definition of the secret that libvirt hands to the server; empty without one.

    The secret of a share stays outside of libvirt.
    """
    if not needs_secret(storage) or isinstance(storage, Smb):
        return ""
    secret = Element("secret", ephemeral="no", private="yes")
    SubElement(secret, "uuid").text = secret_id(name)
    SubElement(secret, "description").text = f"storage {name}"
    kind, element = ("ceph", "name") if isinstance(storage, Rbd) else ("iscsi", "target")
    usage = SubElement(secret, "usage", type=kind)
    SubElement(usage, element).text = f"slipway {name}"
    ElementTree.indent(secret)
    return ElementTree.tostring(secret, encoding="unicode") + "\n"
