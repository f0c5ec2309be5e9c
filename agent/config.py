"""The node's configuration: /etc/slipway/node.toml, written by the installer, read by the agent."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.core.errors import SlipwayError

PATH = Path("/etc/slipway/node.toml")
# The program of the first boot; its folder is there for as long as it has not succeeded.
FIRST_BOOT = Path("/var/lib/slipway/first-boot/program")
FIRST_BOOT_UNIT = "slipway-first-boot.service"

# The installer's only place for secrets that a step of the first boot needs (mode 0700); erased
# when all is done. The token of `join`, what `create` got from a kit, and whom to tell, as JSON.
SECRETS = Path("/var/lib/slipway/secrets")
JOIN_TOKEN = SECRETS / "join-token"
CLUSTER_KIT = SECRETS / "cluster-kit.json"
WEBHOOK = SECRETS / "webhook.json"

FirstBootOrdering = Literal["before-network", "network-online", "fully-up"]


class Model(BaseModel):
    """An immutable record; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LvmThin(Model):
    """Guests live in a thin pool. thin_pool is empty where the disk was too small for one."""

    kind: Literal["lvm-thin"] = "lvm-thin"
    volume_group: str
    thin_pool: str = ""


# libvirt's pool over the node's own dataset, where guests lie on ZFS.
ZFS_POOL = "local-zfs"


class Zfs(Model):
    """Guests live below a dataset."""

    kind: Literal["zfs"] = "zfs"
    dataset: str


class Directory(Model):
    """Guests live in a directory (btrfs)."""

    kind: Literal["directory"] = "directory"
    path: Path


GuestStorage = Annotated[LvmThin | Zfs | Directory, Field(discriminator="kind")]


class Boot(Model):
    """Where the boot loader lives: the file system UUIDs of all ESPs, and how the kernel starts."""

    esps: tuple[str, ...]
    kernel_parameters: tuple[str, ...]


class Cluster(Model):
    """What the node does about a cluster.

    name: of the cluster, for create; links: for each link this node's address, a network or an
    interface, by default the management interface; ha: fencing from the start, for create.
    """

    mode: Literal["none", "create", "join"] = "none"
    name: str = ""
    links: tuple[str, ...] = ()
    ha: bool = False


class TemplateSource(Model):
    """A place to fetch templates from.

    url: of the server (simplestreams), the index (aplinfo), or the folder with SHA256SUMS
    (directory: an address or an absolute path); "member" is another node of the cluster, reached
    through its tunnel, and in no file. keyring: OpenPGP keys in ASCII armor that sign
    the index; ca: certificates in PEM that are trusted for it instead of the system's.
    """

    name: str
    kind: Literal["simplestreams", "aplinfo", "directory", "member"]
    url: str
    keyring: str = ""
    ca: str = ""


LINUX_CONTAINERS = TemplateSource(
    name="linuxcontainers", kind="simplestreams", url="https://images.linuxcontainers.org"
)


class Templates(Model):
    """fetch: names of templates that the node shall have; sources: asked in this order;
    proxy: address of an HTTP proxy.
    """

    fetch: tuple[str, ...] = ()
    sources: tuple[TemplateSource, ...] = (LINUX_CONTAINERS,)
    proxy: str = ""


class NodeConfig(Model):
    """What this node is to become. data_pools: more places for guests, by their names;
    first_boot: when the program of the first boot runs, None where there is none.
    """

    fqdn: str
    management_interface: str = "vmbr0"
    storage: GuestStorage
    data_pools: dict[str, GuestStorage] = {}
    boot: Boot
    first_boot: FirstBootOrdering | None = None
    cluster: Cluster = Cluster()
    templates: Templates = Templates()

    @property
    def name(self) -> str:
        """The node's name among others: the first label of its full name."""
        return self.fqdn.partition(".")[0]


def load(path: Path = PATH) -> NodeConfig:
    """Read the configuration. Raises SlipwayError when it is missing or invalid."""
    try:
        return parse(path.read_text(), path)
    except OSError as error:
        raise SlipwayError(
            "the node's configuration cannot be read", where=str(path), hint=error.strerror
        ) from error


def parse(text: str, path: Path = PATH) -> NodeConfig:
    """The configuration that a file of this text, at this path, would be. Raises SlipwayError."""
    try:
        return NodeConfig.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SlipwayError(
            f"the node's configuration is not valid: {error}", where=str(path)
        ) from error
