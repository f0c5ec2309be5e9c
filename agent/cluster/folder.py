"""What this node keeps about its cluster, below /var/lib/slipway/cluster (root only).

Every file is replaced in one step that survives a power cut, so each of them is there or not.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.core.files import write_atomically
from agent.step import Retry

STATE = Path("/var/lib/slipway/cluster")


@dataclass(frozen=True)
class Folder:
    """The files by their meaning. root: the folder."""

    root: Path = STATE

    @property
    def authority(self) -> Path:
        """The certificate of the cluster's authority."""
        return self.root / "authority.crt"

    @property
    def authority_secret(self) -> Path:
        """Certificate and key of the authority: only on members that sign."""
        return self.root / "authority.pem"

    @property
    def key(self) -> Path:
        """The node's private key."""
        return self.root / "node.key"

    @property
    def certificate(self) -> Path:
        """The node's certificate."""
        return self.root / "node.crt"

    @property
    def revoked(self) -> Path:
        """The list of revoked certificates; empty until the first member is removed."""
        return self.root / "revoked.crl"

    @property
    def request(self) -> Path:
        """What `join` was asked for, token included, until the node is a member."""
        return self.root / "join.json"

    @property
    def pcsd_token(self) -> Path:
        """What the other members show to this node's pcsd."""
        return self.root / "pcsd-token"

    @property
    def rotation(self) -> Path:
        """The number of the rotation of keys that this node has taken part in."""
        return self.root / "rotation"

    @property
    def member(self) -> Path:
        """Exists once the node was seen as a member of the cluster: its name."""
        return self.root / "member"

    @property
    def quorum_device(self) -> Path:
        """Certificates and key for the quorum device, only while it is being added."""
        return self.root / "qdevice.pem"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Only one program at a time changes the node's membership. Raises Retry."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(self.root / "lock", "w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Retry("another program is at work on this node's membership") from error
            yield

    def of_cluster(self) -> tuple[Path, ...]:
        """The files that a node has from one cluster and that are of no use in another."""
        given = (self.certificate, self.authority, self.authority_secret, self.revoked)
        return (*given, self.pcsd_token, self.rotation)

    def read(self, path: Path) -> str | None:
        """The text of one of the files, or None when it is not there. Raises OSError."""
        try:
            return path.read_text()
        except FileNotFoundError:
            return None

    def write(self, path: Path, text: str, *, secret: bool = True) -> None:
        """Replace one of the files; it is on disk afterwards. Raises OSError."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, text, mode=0o600 if secret else 0o644)
