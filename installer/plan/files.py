"""All files that the installer writes on the node, rendered from config-templates/node."""

from __future__ import annotations

from collections.abc import Iterator

from agent.config import (
    FIRST_BOOT,
    FIRST_BOOT_UNIT,
    Boot,
    Cluster,
    FirstBootOrdering,
    NodeConfig,
    Templates,
)
from agent.core.errors import SlipwayError
from agent.core.template import render
from installer.answers.schema import Answer
from installer.answers.system import User
from installer.plan.keyboard import xkb_keyboard
from installer.plan.model import PlannedFile, StoragePlan
from installer.plan.network_files import network_files
from installer.plan.network_plan import NetworkPlan
from installer.plan.sign_in import sign_in_files
from installer.plan.storages import storage_files

# What mail systems take for a program or a file instead of an address, see aliases(5).
ALIAS_COMMANDS = ("|", "/")


def plan_files(
    answer: Answer,
    network: NetworkPlan,
    storage: StoragePlan,
    cluster: Cluster,
    kernel_parameters: tuple[str, ...],
) -> tuple[PlannedFile, ...]:
    """Every file of the node, sorted by path. None of them holds a secret.

    kernel_parameters: all those that the node starts with.
    Raises SlipwayError when a value cannot be written.
    """
    config = NodeConfig(
        fqdn=network.fqdn,
        management_interface=network.management_interface,
        storage=storage.guests,
        data_pools=storage.data_pools,
        boot=Boot(
            esps=tuple(volume_id for _, _, volume_id in storage.esps),
            kernel_parameters=kernel_parameters,
        ),
        first_boot=answer.first_boot.ordering if answer.first_boot else None,
        templates=_templates(answer),
        cluster=cluster,
    )
    files = (
        *network_files(network),
        *_system_files(answer, storage),
        *storage_files(answer.storage),
        *sign_in_files(answer.sign_in),
        *(_first_boot_files(answer.first_boot.ordering) if answer.first_boot else ()),
        _file("/etc/slipway/node.toml", config=config.model_dump(mode="json")),
    )
    return tuple(sorted(files, key=lambda file: file.path))


def _templates(answer: Answer) -> Templates:
    asked = answer.templates.model_dump(exclude_none=True)
    return Templates.model_validate(asked | {"proxy": answer.system.proxy or ""})


def _file(path: str, **values: object) -> PlannedFile:
    return PlannedFile(path=path, content=render(f"node{path}", **values))


def _authorized_keys(home: str, owner: str, keys: tuple[str, ...]) -> PlannedFile:
    content = render("node/root/.ssh/authorized_keys", keys=keys)
    return PlannedFile(
        path=f"{home}/.ssh/authorized_keys", content=content, mode="0600", owner=owner
    )


def _first_boot_files(ordering: FirstBootOrdering) -> Iterator[PlannedFile]:
    """The unit, enabled where systemd and not the agent starts it."""
    folder = "/etc/systemd/system"
    unit = f"{folder}/{FIRST_BOOT_UNIT}"
    yield _file(unit, ordering=ordering, program=FIRST_BOOT)
    if ordering != "fully-up":
        link = f"{folder}/multi-user.target.wants/{FIRST_BOOT_UNIT}"
        yield PlannedFile(path=link, link_target=unit)


def _has_only_keys_for_sudo(user: User) -> bool:
    return "sudo" in user.groups and not (user.password or user.password_hashed)


def _system_files(answer: Answer, storage: StoragePlan) -> Iterator[PlannedFile]:
    who = answer.global_
    yield _file("/etc/fstab", fstab=storage.fstab)
    yield PlannedFile(path="/etc/localtime", link_target=f"/usr/share/zoneinfo/{who.timezone}")
    yield _file("/etc/default/keyboard", keyboard=xkb_keyboard(who.keyboard))
    # /etc/default/locale is a link to this file.
    yield _file("/etc/locale.conf")
    if who.mailto.startswith(ALIAS_COMMANDS):
        raise SlipwayError(
            "mailto cannot be root's mail alias: mail to it would run a program",
            where="[global]",
            hint="choose an address that starts with a letter or a digit",
        )
    yield _file("/etc/aliases", mailto=who.mailto)
    yield _file("/etc/ssh/sshd_config.d/slipway.conf")
    if who.root_ssh_keys:
        yield _authorized_keys("/root", "root", who.root_ssh_keys)
    for user in answer.users:
        if user.ssh_keys:
            yield _authorized_keys(f"/home/{user.name}", user.name, user.ssh_keys)
    if names := [user.name for user in answer.users if _has_only_keys_for_sudo(user)]:
        content = render("node/etc/sudoers.d/slipway", names=names)
        yield PlannedFile(path="/etc/sudoers.d/slipway", content=content, mode="0440")
    if answer.system.ntp_servers:
        yield _file("/etc/chrony/chrony.conf", servers=answer.system.ntp_servers)
    if answer.system.proxy:
        yield _file("/etc/apt/apt.conf.d/90slipway-proxy", proxy=answer.system.proxy)
    if storage.zfs_arc_max_bytes:
        yield _file("/etc/modprobe.d/zfs.conf", arc_max_bytes=storage.zfs_arc_max_bytes)
