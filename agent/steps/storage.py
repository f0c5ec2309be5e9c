"""Storage: libvirt and LXC know where guests live."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import assert_never

from agent import hypervisor
from agent.config import Directory, GuestStorage, LvmThin, Zfs
from agent.core.command import run
from agent.core.files import write_atomically
from agent.core.template import render
from agent.disk.sets import degraded, find_sets
from agent.step import Step, WaitForOperator
from agent.steps import data_pools
from agent.systemd import Systemd

# Starting to listen is enough: systemd starts libvirt with the first connection.
UNITS = ("libvirtd.socket",)
POOL = "local"
POOL_PATH = Path("/var/lib/libvirt/images")
LXC_CONFIGURATION = Path("/etc/lxc/lxc.conf")


class Storage(Step):
    """A directory pool of libvirt, a pool for each extra pool, and LXC's default backing store."""

    name = "storage"

    def __init__(
        self,
        storage: GuestStorage,
        data_pools: Mapping[str, GuestStorage],
        systemd: Systemd,
        *,
        lxc_configuration: Path = LXC_CONFIGURATION,
    ) -> None:
        self.storage = storage
        self.data_pools = data_pools
        self.systemd = systemd
        self.lxc_configuration = lxc_configuration
        path = storage.path if isinstance(storage, Directory) else POOL_PATH
        self.pools = {POOL: Directory(path=path), **data_pools}
        self.lxc_text = render("agent/etc/lxc/lxc.conf", storage=storage)

    def desired(self) -> object:
        pools = {name: pool.model_dump(mode="json") for name, pool in self.pools.items()}
        return {"pools": pools, "lxc": self.lxc_text}

    def observe(self) -> tuple[str, ...]:
        missing = [
            f"the pool {name} is not attached"
            for name, pool in self.data_pools.items()
            if not data_pools.is_attached(pool)
        ]
        missing += self.systemd.missing(UNITS) or [
            line for name in self.pools for line in hypervisor.pool_missing(name)
        ]
        if not self._lxc_is_configured():
            missing.append(f"{self.lxc_configuration} is not what it should be")
        return tuple(missing)

    def act(self) -> None:
        self.systemd.bring_up(UNITS)
        self.systemd.prove(UNITS)
        for pool in self.data_pools.values():
            if not data_pools.is_attached(pool):
                data_pools.attach(pool)
        for name, pool in self.pools.items():
            hypervisor.register(name, pool)
        if not self._lxc_is_configured():
            write_atomically(self.lxc_configuration, self.lxc_text)

    def prove(self) -> str:
        for storage in (self.storage, *self.data_pools.values()):
            if not backing_store_exists(storage):
                raise WaitForOperator(
                    f"the storage of the node's configuration is missing: {storage!r}",
                    hint="check the disks, then run: systemctl restart slipway-agent",
                )
        return "; ".join(degraded(find_sets()))

    def _lxc_is_configured(self) -> bool:
        try:
            return self.lxc_configuration.read_text() == self.lxc_text
        except FileNotFoundError:
            return False


def backing_store_exists(storage: GuestStorage) -> bool:
    """What the installer made for guests is there. Raises ToolMissing."""
    match storage:
        case LvmThin(volume_group=group, thin_pool=""):
            return run(["vgs", group], check=False).status == 0
        case LvmThin(volume_group=group, thin_pool=pool):
            fields = run(
                ["lvs", "--noheadings", "--options", "segtype", f"{group}/{pool}"], check=False
            )
            return fields.status == 0 and fields.stdout.strip() == "thin-pool"
        case Zfs(dataset=dataset):
            return run(["zfs", "list", "-H", "-o", "name", dataset], check=False).status == 0
        case Directory(path=path):
            return path.is_dir()
        case _:
            assert_never(storage)
