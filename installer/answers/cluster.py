"""The [cluster], [stack] and [templates] tables, all Slipway's."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from installer.answers.addresses import HostAddress
from installer.answers.hosts import Host
from installer.answers.table import Line, Name, Table, WebAddress, conflict

# Corosync's transport knet has links 0 to 7.
MAXIMUM_LINKS = 8


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
    links: tuple[HostAddress, ...] = Field(
        (),
        max_length=MAXIMUM_LINKS,
        description="This node's address on each link of the cluster; default: the management "
        "address",
    )
    qdevice: QuorumDevice | None = Field(None, description="Quorum device; for `create`")
    ha: bool = Field(
        True, description="Restart the guests of a failed node on another, with fencing"
    )

    @model_validator(mode="after")
    def _check_mode(self) -> Cluster:
        wanted = {"create": ("name",), "join": ("token",), "none": ()}[self.mode]
        fitting = {"create": ("name", "qdevice", "links"), "join": ("token", "links")}
        for key in wanted:
            if getattr(self, key) is None:
                raise conflict(f'mode "{self.mode}" needs {key}')
        for key in ("name", "token", "links", "qdevice"):
            if getattr(self, key) and key not in fitting.get(self.mode, ()):
                raise conflict(f'{key} has no meaning with mode "{self.mode}"')
        if len(set(self.links)) != len(self.links):
            raise conflict("links has an address twice")
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


class TemplateSource(Table):
    """A place to fetch templates of containers and machines from."""

    name: Name = Field(description="Prefix of its templates")
    kind: Literal["simplestreams", "aplinfo"] = Field(description="The form of its index")
    url: WebAddress = Field(description="Address of the index")


class Templates(Table):
    """Templates that the node fetches at its first boot."""

    fetch: tuple[Line, ...] = Field((), description='Templates by name, like "debian/13"')
    sources: tuple[TemplateSource, ...] = Field((), description="More places to fetch from")
