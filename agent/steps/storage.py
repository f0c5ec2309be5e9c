"""Storage: libvirt and LXC know where guests live."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from agent import hypervisor
from agent.config import Directory, LvmThin, Zfs
from agent.core.command import run
from agent.core.files import write_atomically
from agent.core.template import render
from agent.step import Step, WaitForOperator
from agent.systemd import Systemd

# Starting to listen is enough: systemd starts libvirt with the first connection.
UNITS = ("libvirtd.socket",)
POOL = "local"
POOL_PATH = Path("/var/lib/libvirt/images")
LXC_CONFIGURATION = Path("/etc/lxc/lxc.conf")


class Storage(Step):
    """A directory pool of libvirt, and LXC's default backing store."""

    name = "storage"

    def __init__(
        self,
        storage: LvmThin | Zfs | Directory,
        systemd: Systemd,
        *,
        lxc_configuration: Path = LXC_CONFIGURATION,
    ) -> None:
        self.storage = storage
        self.systemd = systemd
        self.lxc_configuration = lxc_configuration
        self.pool_path = storage.path if isinstance(storage, Directory) else POOL_PATH
        self.lxc_text = render("agent/etc/lxc/lxc.conf", storage=storage)

    def desired(self) -> object:
        return {"pool": [POOL, str(self.pool_path)], "lxc": self.lxc_text}

    def observe(self) -> tuple[str, ...]:
        missing = self.systemd.missing(UNITS) or hypervisor.pool_missing(POOL)
        if not self._lxc_is_configured():
            missing += (f"{self.lxc_configuration} is not what it should be",)
        return missing

    def act(self) -> None:
        self.systemd.bring_up(UNITS)
        self.systemd.prove(UNITS)
        hypervisor.register_directory(POOL, self.pool_path)
        if not self._lxc_is_configured():
            write_atomically(self.lxc_configuration, self.lxc_text)

    def prove(self) -> str:
        if not backing_store_exists(self.storage):
            raise WaitForOperator(
                f"the storage of the node's configuration is missing: {self.storage!r}",
                hint="check the disks, then run: systemctl restart slipway-agent",
            )
        return ""

    def _lxc_is_configured(self) -> bool:
        try:
            return self.lxc_configuration.read_text() == self.lxc_text
        except FileNotFoundError:
            return False


def backing_store_exists(storage: LvmThin | Zfs | Directory) -> bool:
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
