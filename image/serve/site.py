"""The site file: the one model that validates and documents it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from installer.answers.table import Line, Name, Table, WebAddress, conflict, refuse

Port = Annotated[int, Field(ge=1, le=65535)]
Approval = Literal["listed", "on-sight", "by-hand"]
Pattern = Annotated[str, Field(min_length=1, max_length=255)]


def _seconds(value: int) -> int:
    if not 1 <= value <= 7 * 86400:
        raise refuse("seconds from 1 to 604800")
    return value


def _pointer(value: str) -> str:
    if not value.startswith("/"):
        raise refuse('a JSON pointer into the posted identity, as "/dmi/system/name"')
    return value


def _address_or_nothing(value: str) -> str:
    try:
        return str(ip_address(value)) if value else ""
    except ValueError:
        raise refuse("an address, or an empty string") from None


NodeName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Pointer = Annotated[str, AfterValidator(_pointer)]
Seconds = Annotated[int, AfterValidator(_seconds)]


class Server(Table):
    """Where the server listens, and what it needs."""

    address: Line = Field(description="Address or name by which machines reach this server")
    http_port: Port = Field(80, description="Port of boot scripts and netboot files")
    https_port: Port = Field(443, description="Port of answers, events and the page")
    netboot: Path | None = Field(
        None, description="Folder of the netboot files; default: `out/netboot` of the checkout"
    )
    static_url: WebAddress | None = Field(
        None,
        description="Where machines fetch netboot files, when other servers have them; "
        "default: this server",
    )
    state: Path | None = Field(
        None, description="Folder that the server keeps its state in; default: SITE.state"
    )
    certificate: Path | None = Field(
        None, description="Certificate (PEM) of the server; default: one that it makes for itself"
    )
    key: Path | None = Field(None, description="Private key (PEM) of the certificate")
    password_file: Path | None = Field(
        None,
        description="File with the password of the page; default: one is made and printed once",
    )
    approve: Approval = Field(
        "listed",
        description="Who may install without being approved by hand: machines that a "
        "`[[machines]]` table matches, every machine, or none",
    )
    answer_timeout: Seconds = Field(
        86400, description="Seconds for which a machine that was started waits to be approved"
    )

    @model_validator(mode="after")
    def _check_certificate(self) -> Server:
        if (self.certificate is None) != (self.key is None):
            raise conflict("certificate and key belong together")
        return self


class Dhcp(Table):
    """DHCP and TFTP by dnsmasq."""

    interface: Line = Field(description="Network interface that machines are on")
    mode: Literal["proxy", "full"] = Field(
        "proxy",
        description="Answer beside the DHCP server that there is, or be the DHCP server",
    )
    network: IPv4Network = Field(description="The machines' network")
    range: tuple[IPv4Address, IPv4Address] | None = Field(
        None, description="First and last address to lease; with `full`"
    )
    lease: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}[smhd]?$")] = Field(
        "1h", description="How long a lease is valid; with `full`"
    )
    router: IPv4Address | None = Field(None, description="Default router; with `full`")
    dns: tuple[IPv4Address, ...] = Field((), description="Name servers; with `full`")

    @model_validator(mode="after")
    def _check_mode(self) -> Dhcp:
        if self.mode == "full" and self.range is None:
            raise conflict("mode full needs range")
        if self.mode == "proxy" and (self.range or self.router or self.dns):
            raise conflict("range, router and dns belong to mode full")
        for address in [*(self.range or ()), *filter(None, [self.router])]:
            if address not in self.network:
                raise conflict(f"{address} is not in the network {self.network}")
        return self


class Match(Table):
    """Which machines a table is for: all that is given must hold. `*` and `?` are wildcards."""

    mac: Pattern | None = Field(None, description="Hardware address of one of its NICs")
    serial: Pattern | None = Field(None, description="Serial number of the system")
    uuid: Pattern | None = Field(None, description="UUID of the system")
    identity: dict[Pointer, Pattern] = Field(
        {}, description="JSON pointers into the posted identity, and what stands there"
    )

    @model_validator(mode="after")
    def _check_some(self) -> Match:
        if not (self.mac or self.serial or self.uuid or self.identity):
            raise conflict("match needs at least one of mac, serial, uuid, identity")
        return self


class Scope(Table):
    """What groups and machines have in common."""

    name: Name = Field(description="Name in this file, on the page and in messages")
    match: Match = Field(description="Which machines it is for")
    variables: dict[str, Any] = Field({}, description="Values for templates, by name")
    answer: dict[str, Any] = Field({}, description="Keys of the answer file; strings are templates")


class Group(Scope):
    """Machines with something in common."""

    approve: Approval | None = Field(None, description="As in `[server]`, for this group")
    cluster: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,14}$")] | None = Field(
        None, description="Name of the cluster that the group's machines become"
    )
    nodes: dict[NodeName, Annotated[str, AfterValidator(_address_or_nothing)]] = Field(
        {},
        description="The cluster's nodes: host name to address, which is empty where the name "
        "will do; the first one creates the cluster",
    )

    @model_validator(mode="after")
    def _check_cluster(self) -> Group:
        if bool(self.cluster) != bool(self.nodes):
            raise conflict("cluster and nodes belong together")
        return self


class Machine(Scope):
    """One machine. It belongs to the group that also matches it, if any."""


class Site(Table):
    """A site file."""

    server: Server = Field(description="The server itself")
    dhcp: Dhcp | None = Field(None, description="DHCP and TFTP; without it neither is served")
    variables: dict[str, Any] = Field({}, description="Values for templates, by name")
    answer: dict[str, Any] = Field(
        {}, description="Keys of every machine's answer file; strings are templates"
    )
    groups: tuple[Group, ...] = Field((), description="Machines with something in common")
    machines: tuple[Machine, ...] = Field((), description="Single machines")

    @model_validator(mode="after")
    def _check_address(self) -> Site:
        if self.dhcp:
            try:
                IPv4Address(self.server.address)
            except ValueError:
                raise conflict("with dhcp, server.address has to be an IPv4 address") from None
        return self

    @model_validator(mode="after")
    def _check_names(self) -> Site:
        for what, names in {
            "groups": [group.name for group in self.groups],
            "machines": [machine.name for machine in self.machines],
        }.items():
            if len(set(names)) != len(names):
                raise conflict(f"two {what} tables have the same name")
        return self
