"""Which virtual machines have disks on a storage."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from agent.config import Directory, LvmThin, Zfs
from agent.storages.model import MOUNTS, Gluster, Iscsi, Lvm, Nfs, Rbd, Smb, Storage


def is_used_by(name: str, storage: Storage, domain_xml: str) -> bool:
    """Whether the virtual machine of this definition has a disk there."""
    return any(is_on(name, storage, source) for source in _sources(domain_xml))


def _sources(domain_xml: str) -> Iterator[dict[str, str]]:
    domain = ElementTree.fromstring(domain_xml)
    return (dict(source.attrib) for source in domain.findall("devices/disk/source"))


def is_on(name: str, storage: Storage, source: dict[str, str]) -> bool:
    """Whether the source of a disk, an element of a definition, is there."""
    path = source.get("file") or source.get("dev") or ""
    inside = {source.get("name", "").partition("/")[0]} if "protocol" in source else set()
    if source.get("pool") == name:
        return True
    match storage:
        case Directory(path=folder):
            return path.startswith(f"{folder}/")
        case Nfs() | Smb() | LvmThin():
            return path.startswith(f"{MOUNTS / name}/")
        case Lvm(volume_group=group):
            return path.startswith(f"/dev/{group}/")
        case Zfs(dataset=dataset):
            return path.startswith(f"/dev/zvol/{dataset}/")
        case Iscsi(target=target):
            return f"-iscsi-{target}-lun-" in path
        case Rbd(pool=pool):
            return source.get("protocol") == "rbd" and pool in inside
        case Gluster(volume=volume):
            return source.get("protocol") == "gluster" and volume in inside
