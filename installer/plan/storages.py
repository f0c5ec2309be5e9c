"""Planning [[storage]]: a file for each storage, from which the agent takes it into use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from pydantic import SecretStr

from agent import config
from agent.storages import model, registry
from installer.answers.storages import (
    AnyStorage,
    DirectoryStorage,
    GlusterStorage,
    IscsiStorage,
    LvmStorage,
    LvmThinStorage,
    NfsStorage,
    RbdStorage,
    SmbStorage,
    ZfsStorage,
)
from installer.plan.model import PlannedFile, WriteSecret


def storage_files(storages: Sequence[AnyStorage]) -> Iterator[PlannedFile]:
    """The files of the storages, without their secrets."""
    for storage in storages:
        text = registry.text_of(plan_storage_of(storage))
        yield PlannedFile(path=str(registry.path_of(storage.name)), content=text, mode="0600")


def storage_secrets(storages: Sequence[AnyStorage]) -> Mapping[str, SecretStr]:
    """Passwords and keys, by the names that WriteSecret actions use."""
    found = {_secret_name(storage): _secret(storage) for storage in storages}
    return {name: secret for name, secret in found.items() if secret}


def storage_secret_files(storages: Sequence[AnyStorage]) -> Iterator[WriteSecret]:
    """The actions that put each secret beside its storage's file."""
    for storage in storages:
        if _secret(storage):
            path = str(registry.secret_of(storage.name))
            yield WriteSecret(path=path, secret=_secret_name(storage))


def _secret_name(storage: AnyStorage) -> str:
    return f"storage {storage.name}"


def _secret(storage: AnyStorage) -> SecretStr | None:
    match storage:
        case SmbStorage() | IscsiStorage():
            return storage.password
        case RbdStorage():
            return storage.key
    return None


def plan_storage_of(storage: AnyStorage) -> model.Storage:
    """The storage as the agent knows it."""
    match storage:
        case DirectoryStorage() | LvmStorage() | LvmThinStorage() | ZfsStorage():
            return _local(storage)
        case NfsStorage():
            return model.Nfs(server=storage.server, export=storage.export, version=storage.version)
        case SmbStorage():
            return model.Smb(
                server=storage.server,
                share=storage.share,
                username=storage.username,
                domain=storage.domain,
            )
        case IscsiStorage():
            return model.Iscsi(
                portal=storage.portal,
                port=storage.port,
                target=storage.target,
                username=storage.username,
            )
        case RbdStorage():
            return model.Rbd(
                monitors=storage.monitors, pool=storage.pool, username=storage.username
            )
        case GlusterStorage():
            return model.Gluster(servers=storage.servers, volume=storage.volume)
        case _:
            assert_never(storage)


def _local(
    storage: DirectoryStorage | LvmStorage | LvmThinStorage | ZfsStorage,
) -> model.Storage:
    match storage:
        case DirectoryStorage():
            return config.Directory(path=storage.path)
        case LvmStorage():
            return model.Lvm(volume_group=storage.volume_group)
        case LvmThinStorage():
            return config.LvmThin(volume_group=storage.volume_group, thin_pool=storage.thin_pool)
        case ZfsStorage():
            return config.Zfs(dataset=storage.dataset)
        case _:
            assert_never(storage)
