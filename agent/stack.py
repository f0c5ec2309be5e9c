"""The software of a node as data: image/stacks/*.toml in the checkout, stack.toml on the node.

The builder reads packages, firmware and kernel from it, the agent units and probes.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.core.errors import SlipwayError

PATH = Path("/usr/lib/slipway/stack.toml")


class Model(BaseModel):
    """An immutable record; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TcpProbe(Model):
    """Something accepts connections."""

    kind: Literal["tcp"]
    address: str
    port: int = Field(gt=0, lt=65536)


class HttpsProbe(Model):
    """A web server answers over TLS with a status below 400."""

    kind: Literal["https"]
    url: str = Field(pattern="^https://")


class LibvirtProbe(Model):
    """libvirt accepts a connection and the hypervisor behind it answers."""

    kind: Literal["libvirt"]
    uri: str


class PoolProbe(Model):
    """A storage pool of libvirt is active and starts with the node."""

    kind: Literal["pool"]
    name: str


Probe = Annotated[TcpProbe | HttpsProbe | LibvirtProbe | PoolProbe, Field(discriminator="kind")]


class Role(Model):
    """One thing the node does.

    packages and firmware: Debian package names; units: systemd units the agent enables and
    starts; probes: what must answer before the role counts as working; disabled, disabled_pam and
    removed: units and profiles of pam-auth-update that the builder switches off in the image, paths
    (with wildcards) that it removes.
    """

    name: str
    summary: str
    packages: tuple[str, ...]
    firmware: tuple[str, ...] = ()
    units: tuple[str, ...]
    probes: tuple[Probe, ...]
    disabled: tuple[str, ...] = ()
    disabled_pam: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Stack(Model):
    """All roles of a node. suite and components are those of the Debian archive."""

    name: str
    summary: str
    suite: str
    components: tuple[str, ...]
    kernel: str
    roles: tuple[Role, ...]


def load(path: Path = PATH) -> Stack:
    """Read a stack. Raises SlipwayError when it is missing or invalid."""
    try:
        return Stack.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise SlipwayError(
            "the stack cannot be read", where=str(path), hint=error.strerror
        ) from error
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SlipwayError(f"the stack is not valid: {error}", where=str(path)) from error
