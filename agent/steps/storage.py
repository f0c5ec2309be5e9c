"""Storage: libvirt and LXC know where guests live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import assert_never

from agent import hypervisor
from agent.config import ZFS_POOL, Directory, GuestStorage, LvmThin, Zfs
from agent.core.command import run
from agent.core.files import write_atomically
from agent.core.template import render
from agent.disk.sets import degraded, find_sets
from agent.step import Step, WaitForOperator
from agent.steps import data_pools
from agent.storages import use, zvols
from agent.storages.images import Images
from agent.systemd import Systemd

# Starting to listen is enough: systemd starts libvirt with the first connection.
UNITS = ("libvirtd.socket",)
POOL = "local"
POOL_PATH = Path("/var/lib/libvirt/images")
DATA_POOLS = Path("/var/lib/slipway/pools")
LXC_CONFIGURATION = Path("/etc/lxc/lxc.conf")


class Storage(Step):
    """libvirt's pools over the node's storage and extra pools, and LXC's default backing store."""

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
        self.images = (Images(path, storage), *_thin_pools(data_pools))
        self.pools: dict[str, GuestStorage] = {
            POOL: Directory(path=path),
            **({ZFS_POOL: storage} if isinstance(storage, Zfs) else {}),
            **data_pools,
            **{each.path.name: Directory(path=each.path) for each in self.images[1:]},
        }
        self.datasets = [pool.dataset for pool in self.pools.values() if isinstance(pool, Zfs)]
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
        missing += [line for images in self.images for line in images.missing()]
        missing += [
            f"volumes of {dataset} are not thin"
            for dataset in self.datasets
            if not zvols.are_thin(dataset)
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
        late = [images for images in self.images if images.missing()]
        for images in late:
            images.make()
        for dataset in self.datasets:
            zvols.make_thin(dataset)
        for name, pool in self.pools.items():
            hypervisor.register(name, pool)
        if late:
            use.start_guests()
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


def _thin_pools(data_pools: Mapping[str, GuestStorage]) -> Iterator[Images]:
    for name, pool in data_pools.items():
        if isinstance(pool, LvmThin):
            yield Images(DATA_POOLS / name, pool)


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
