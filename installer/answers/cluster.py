"""The [cluster] and [stack] tables, all Slipway's."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from installer.answers.addresses import (
    LINK_NAME,
    LINK_NAME_LENGTH,
    check_link_name,
    parse_address,
    parse_subnet,
)
from installer.answers.hosts import Host
from installer.answers.table import Line, Name, Table, WebAddress, conflict, refuse

# Corosync's transport knet has links 0 to 7.
MAXIMUM_LINKS = 8
# The largest cluster that is planned for; a kit has a token for every node but the first.
MAXIMUM_NODES = 32
LINK_WORD = re.compile(LINK_NAME)


def _place(value: str) -> str:
    """An address, a network or a link's name. Raises PydanticCustomError."""
    if LINK_WORD.fullmatch(value) and len(value) <= LINK_NAME_LENGTH:
        return check_link_name(value)
    for parse in (parse_address, parse_subnet):
        try:
            return str(parse(value))
        except ValueError:
            continue
    raise refuse('an address, a network or a link, like "192.0.2.1", "192.0.2.0/24" or "eno2"')


Place = Annotated[str, AfterValidator(_place)]


class QuorumDevice(Table):
    """A third party that votes where the members are evenly split (corosync-qnetd)."""

    host: Host = Field(description="Address or name of the server")
    algorithm: Literal["ffsplit", "lms"] = Field("ffsplit", description="How it votes")


class Cluster(Table):
    """What the node does about a cluster."""

    mode: Literal["none", "create", "join"] = Field(
        "none", description="Stay alone, create a new cluster, or join one"
    )
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,14}$")] | None = Field(
        None, description="Name of the new cluster, up to 15 characters; for `create`"
    )
    token: SecretStr | None = Field(
        None, description="Join token that a member issued for this node; for `join`"
    )
    links: tuple[Place, ...] = Field(
        (),
        max_length=MAXIMUM_LINKS,
        description="Where this node reaches the others: for each link of the cluster its own "
        "address, the network, or the name of the interface; default: the management interface",
    )
    qdevice: QuorumDevice | None = Field(
        None,
        description="Quorum device; for `create`. Refused: a cluster gets it from `slipway cluster "
        "qdevice add` once it has two members",
    )
    authority: SecretStr | None = Field(
        None, description="Certificate and key of the cluster's CA, from a kit; for `create`"
    )
    tokens: tuple[Line, ...] = Field(
        (),
        max_length=MAXIMUM_NODES,
        description="What the first node knows of the others' join tokens, from a kit; for "
        "`create`",
    )
    ha: bool = Field(
        False,
        description="Switch fencing on, so that guests of a failed node can start on another; for "
        "`create`. Later: `slipway ha enable`",
    )

    @model_validator(mode="after")
    def _check_mode(self) -> Cluster:
        wanted = {"create": ("name",), "join": ("token",), "none": ()}[self.mode]
        fitting = {
            "create": ("name", "qdevice", "links", "authority", "tokens", "ha"),
            "join": ("token", "links"),
        }
        for key in wanted:
            if getattr(self, key) is None:
                raise conflict(f'mode "{self.mode}" needs {key}')
        for key in ("name", "token", "links", "qdevice", "authority", "tokens", "ha"):
            if getattr(self, key) and key not in fitting.get(self.mode, ()):
                raise conflict(f'{key} has no meaning with mode "{self.mode}"')
        if len(set(self.links)) != len(self.links):
            raise conflict("links has a value twice")
        if self.tokens and not self.authority:
            raise conflict("tokens needs authority: both come from one kit")
        return self


class AptSource(Table):
    """One source of packages, written to the node in deb822 form."""

    name: Name = Field(description="Name of the file below /etc/apt/sources.list.d")
    types: tuple[Literal["deb", "deb-src"], ...] = Field(
        ("deb",), min_length=1, description="Packages, sources or both"
    )
    uris: tuple[WebAddress, ...] = Field(min_length=1, description="Addresses of the archive")
    suites: tuple[Line, ...] = Field(min_length=1, description="Suites")
    components: tuple[Line, ...] = Field((), description="Components; none for a flat archive")
    signed_by: str | None = Field(
        None,
        pattern=r"^\s*-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
        description="The archive's key in ASCII armor; default: the keys of Debian",
    )


class Stack(Table):
    """The software of the node."""

    profile: Name = Field("kvm-ha", description="The stack on the installation medium")
    packages: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")], ...] = Field(
        (), description="More packages, from the pool of the installation medium"
    )
    apt_sources: tuple[AptSource, ...] = Field((), description="More sources of packages")
