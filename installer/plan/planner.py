"""The planner: answers and inventory in, one plan out. Nothing is looked at or done here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pydantic import SecretStr

from agent.config import FIRST_BOOT
from agent.core.errors import SlipwayError
from installer.answers.cluster import Stack
from installer.answers.schema import Answer
from installer.inventory.model import Inventory
from installer.medium import NODE_IMAGE, TEMPLATE_IMAGE, ZFS_IMAGE
from installer.plan.cluster import (
    cluster_secrets,
    cluster_warnings,
    plan_cluster,
    secret_files,
)
from installer.plan.files import plan_files
from installer.plan.model import (
    Action,
    AddUser,
    CopyKernel,
    InstallBootLoader,
    KeepLog,
    Plan,
    RunInTarget,
    SetPassword,
    StoragePlan,
    Unmount,
    UnpackImage,
    WriteFiles,
    WriteFirstBoot,
    WriteIdentity,
)
from installer.plan.network import plan_network
from installer.plan.sign_in import sign_in_commands, sign_in_secret_files, sign_in_secrets
from installer.plan.storage import plan_storage
from installer.plan.storage_actions import CreateZpool
from installer.plan.storages import storage_secret_files, storage_secrets
from installer.plan.webhook import webhook_file, webhook_secret

LOG = "/var/log/slipway/installer.log"


def make_plan(answer: Answer, inventory: Inventory) -> Plan:
    """Plan the installation of this machine.

    Raises SlipwayError when the answer does not fit the machine; then nothing has happened.
    """
    _check_supported(answer)
    storage = plan_storage(answer.disk_setup, answer.wipe, inventory)
    network = plan_network(answer.network, answer.global_.fqdn, inventory)
    cluster = plan_cluster(answer.cluster, network)
    parameters = (*storage.kernel_root, "ro", *inventory.consoles)
    parameters += answer.system.kernel_parameters
    return Plan(
        fqdn=network.fqdn,
        summary=f"{storage.summary}\n{network.summary}",
        warnings=(
            *storage.warnings,
            *network.warnings,
            *cluster_warnings(answer.cluster, network),
            *_machine_warnings(inventory),
        ),
        disks=storage.disks,
        actions=(
            *storage.prepare,
            UnpackImage(image=NODE_IMAGE),
            *((UnpackImage(image=ZFS_IMAGE),) if has_zfs(storage) else ()),
            UnpackImage(image=TEMPLATE_IMAGE),
            CopyKernel(),
            *_accounts(answer),
            WriteFiles(),
            *_first_boot(answer),
            *secret_files(answer.cluster),
            *storage_secret_files(answer.storage),
            *webhook_file(answer.webhook),
            *sign_in_secret_files(answer.sign_in),
            *sign_in_commands(answer.sign_in),
            WriteIdentity(),
            *_boot_loaders(storage, inventory, parameters),
            *(RunInTarget(argv=argv) for argv in answer.system.commands),
            KeepLog(path=LOG),
            Unmount(),
            *storage.finish,
        ),
        files=plan_files(answer, network, storage, cluster, parameters),
        reboot=answer.global_.reboot_mode,
    )


def has_zfs(storage: StoragePlan) -> bool:
    """Whether the node will have a ZFS pool, and so needs ZFS."""
    return any(isinstance(action, CreateZpool) for action in storage.prepare)


def _accounts(answer: Answer) -> Iterator[Action]:
    hashed = answer.global_.root_password_hashed is not None
    yield SetPassword(user="root", secret="root", hashed=hashed)
    for user in answer.users:
        yield AddUser(name=user.name, full_name=user.full_name or "", groups=user.groups)
        if user.password or user.password_hashed:
            hashed = user.password_hashed is not None
            yield SetPassword(user=user.name, secret=f"user {user.name}", hashed=hashed)


def _first_boot(answer: Answer) -> Iterator[Action]:
    if answer.first_boot:
        fetched = answer.first_boot.source == "from-url" and answer.first_boot.url
        source = urlsplit(fetched).hostname if fetched else "the installation medium"
        yield WriteFirstBoot(path=str(FIRST_BOOT), source=source or "")


def secrets_of(answer: Answer) -> Mapping[str, SecretStr]:
    """The secrets of the answer by the names that SetPassword and WriteSecret actions use."""
    root = answer.global_.root_password or answer.global_.root_password_hashed
    secrets = {f"user {u.name}": u.password or u.password_hashed for u in answer.users}
    secrets |= {"root": root, **cluster_secrets(answer.cluster), **storage_secrets(answer.storage)}
    secrets |= {**webhook_secret(answer.webhook), **sign_in_secrets(answer.sign_in)}
    return {name: value for name, value in secrets.items() if value}


def _boot_loaders(
    storage: StoragePlan, inventory: Inventory, parameters: tuple[str, ...]
) -> Iterator[Action]:
    partitions = {disk.path: disk.partitions for disk in storage.disks}
    for disk, esp, esp_uuid in storage.esps:
        yield InstallBootLoader(
            disk=disk,
            esp=esp,
            esp_number=next(part.number for part in partitions[disk] if part.device == esp),
            esp_uuid=esp_uuid,
            bios=any(part.type == "bios-boot" for part in partitions[disk]),
            firmware_entry=inventory.firmware.mode == "uefi",
            kernel_parameters=parameters,
        )


def _machine_warnings(inventory: Inventory) -> Iterator[str]:
    if not inventory.cpu_virtualization:
        yield "the CPU offers no virtualization: virtual machines will be slow"


def _check_supported(answer: Answer) -> None:
    """What the schema knows and this version cannot do yet is refused, not ignored."""
    if device := answer.cluster.qdevice:
        command = f"slipway cluster qdevice add {device.host} --algorithm {device.algorithm}"
        raise SlipwayError(
            "a cluster gets its quorum device when it has two members, not before",
            where="answer file, cluster.qdevice",
            hint=f"remove the table, nothing was changed; later, on a member: {command}",
        )
    asked = {"stack": answer.stack != Stack()}
    refused = [name for name, present in asked.items() if present]
    if refused:
        raise SlipwayError(
            f"this version cannot do what these tables ask for: {', '.join(refused)}",
            where="answer file",
            hint="remove the tables; nothing was changed",
        )
