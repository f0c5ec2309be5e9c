"""Commands on a machine over SSH, with a key made for the laboratory."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.core.command import Result, run
from agent.core.errors import CommandTimeout
from tests.lab.wait import until

# ssh's own status when it could not connect or log in.
NO_CONNECTION = 255
# Machines of the laboratory come and go with new host keys each time.
ANY_HOST = {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null"}
# Programs have nobody to ask, and read what ssh itself says as an error.
UNATTENDED = {
    "BatchMode": "yes",
    "ConnectTimeout": "20",
    "IdentitiesOnly": "yes",
    "LogLevel": "ERROR",
}


@dataclass(frozen=True)
class Key:
    """An SSH key pair; public is the line for authorized_keys."""

    private: Path
    public: str


def make_key(folder: Path) -> Key:
    """A new key pair in the folder, or the one that is there."""
    private = folder / "id_ed25519"
    if not private.exists():
        folder.mkdir(parents=True, exist_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "laboratory", "-f", private])
    return Key(private, private.with_suffix(".pub").read_text().strip())


@dataclass(frozen=True)
class Ssh:
    """Root's login on the machine behind a port of this host's loopback, or of another host.

    patience: what limits are multiplied with, for a machine whose time is slower.
    """

    port: int
    key: Key
    host: str = "127.0.0.1"
    patience: float = 1.0

    @property
    def login(self) -> list[str]:
        """The command that gives a person a shell."""
        return ["ssh", *_options(ANY_HOST), *self._destination]

    @property
    def _destination(self) -> list[str]:
        return ["-i", str(self.key.private), "-p", str(self.port), f"root@{self.host}"]

    def run(
        self, argv: Sequence[str], *, check: bool = True, limit: float = 120, input: str = ""
    ) -> Result:
        """Run a program on the machine. Raises CommandFailed, CommandTimeout (limit: seconds)."""
        options = ["-F", "none", *_options(ANY_HOST), *_options(UNATTENDED)]
        command = ["ssh", *options, *self._destination, "--", shlex.join(argv)]
        return run(command, check=check, timeout=limit * self.patience, input=input)

    def output(self, *argv: str) -> str:
        """What a program prints on the machine, without blanks at its ends."""
        return self.run(argv).stdout.strip()

    def copy(self, file: Path, target: str) -> None:
        """Put a file on the machine. Raises CommandFailed."""
        options = ["-F", "none", *_options(ANY_HOST), *_options(UNATTENDED)]
        login = ["-i", str(self.key.private), "-P", str(self.port)]
        run(["scp", "-q", *options, *login, file, f"root@127.0.0.1:{target}"])

    def wait_until_up(self, limit: float) -> None:
        """Wait until a login works; limit: seconds. Raises LabTimeout."""

        def attempt() -> bool | None:
            try:
                return self.run(["true"], check=False, limit=30).status != NO_CONNECTION or None
            except CommandTimeout:
                return None

        limit *= self.patience
        until(attempt, limit, "a login over SSH", where=f"port {self.port}", interval=1)


def _options(options: Mapping[str, str]) -> list[str]:
    return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
