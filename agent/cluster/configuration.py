"""The cluster's configuration (corosync.conf), as pcs reads it, whether or not the cluster runs."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from agent.cluster.quorum import Device
from agent.core.command import run
from agent.core.errors import SlipwayError

PATH = Path("/etc/corosync/corosync.conf")
KEPT = Path("/run/slipway/configuration")
SECONDS = 300


class Model(BaseModel):
    """An immutable part of what pcs prints; what is not used is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Address(Model):
    """A node's address on one link."""

    addr: str
    link: int


class Node(Model):
    """One member by configuration."""

    name: str
    nodeid: int
    addrs: tuple[Address, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        """The node's addresses in the order of the links."""
        return tuple(item.addr for item in sorted(self.addrs, key=lambda item: item.link))


class QuorumDevice(Model):
    """The quorum device. model_options: "algorithm", "host" and others."""

    model_options: dict[str, str] = {}


class Configuration(Model):
    """All of it that Slipway uses."""

    cluster_name: str
    nodes: tuple[Node, ...]
    quorum_options: dict[str, str] = {}
    quorum_device: QuorumDevice | None = None

    def has(self, option: str) -> bool:
        """Whether a quorum option is switched on, like "auto_tie_breaker"."""
        return self.quorum_options.get(option, "0") == "1"

    @property
    def server(self) -> str:
        """Address or name of the quorum device's server, empty without one."""
        return self.quorum_device.model_options.get("host", "") if self.quorum_device else ""

    @property
    def device(self) -> Device:
        """The algorithm of the quorum device, "none" without one."""
        if self.quorum_device is None:
            return "none"
        algorithm = self.quorum_device.model_options.get("algorithm")
        return "lms" if algorithm == "lms" else "ffsplit"


READER = TypeAdapter(Configuration)


def read(path: Path = PATH, kept: Path = KEPT) -> Configuration | None:
    """The configuration; None on a node that belongs to no cluster.

    pcs takes one to three seconds of processor time to read it, and it is looked at every two
    minutes at least, so what pcs says is kept in a folder by the file's SHA-256.
    Raises CommandFailed when pcs cannot read the file, SlipwayError when it is not understood.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    said = kept / f"{hashlib.sha256(content).hexdigest()}.json"
    with suppress(FileNotFoundError):
        return _parse(said.read_text(), path)
    text = _ask_pcs(content)
    made = _parse(text, path)
    # Who only looks may not write there.
    with suppress(PermissionError):
        _keep(said, text)
    return made


def _ask_pcs(content: bytes) -> str:
    """What pcs says of a corosync.conf, of a copy that nobody changes meanwhile."""
    argv = ["pcs", "cluster", "config", "show", "--output-format=json", "--corosync_conf"]
    with TemporaryDirectory() as folder:
        copy = Path(folder) / PATH.name
        copy.write_bytes(content)
        return run([*argv, copy], timeout=SECONDS).stdout


def _parse(text: str, path: Path) -> Configuration:
    try:
        return READER.validate_json(text)
    except ValidationError as error:
        raise SlipwayError(
            "what pcs says of the cluster is not understood", where=str(path), hint=str(error)
        ) from error


def _keep(said: Path, text: str) -> None:
    """Keep it instead of what was kept before; readers see all of it or nothing."""
    said.parent.mkdir(parents=True, exist_ok=True)
    for old in said.parent.glob("*.json"):
        old.unlink(missing_ok=True)
    new = said.with_suffix(f".{os.getpid()}")
    new.write_text(text)
    new.replace(said)
