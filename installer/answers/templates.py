"""The [templates] table: what containers are made from, and where that is fetched."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from agent.config import LINUX_CONTAINERS
from installer.answers.table import Line, Name, Table, WebAddress, conflict

Kind = Literal["simplestreams", "aplinfo", "directory"]
TemplateName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+~:-]*(/[A-Za-z0-9][A-Za-z0-9._+~:-]*)*$")
]


def _place(value: str) -> str:
    if PurePosixPath(value).is_absolute():
        return value
    address: str = TypeAdapter(WebAddress).validate_python(value)
    return address


class TemplateSource(Table):
    """A place to fetch templates of containers from."""

    name: Name = Field(description="Name of the source")
    kind: Kind = Field(
        description="What it is: an image server, an index of appliances, or a folder with "
        "SHA256SUMS"
    )
    url: Annotated[Line, AfterValidator(_place)] = Field(
        description="Address of the server (`simplestreams`), of the index (`aplinfo`), or of "
        "the folder (`directory`), which may also be an absolute path on the node"
    )
    keyring: str | None = Field(
        None,
        pattern=r"^\s*-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
        description="Keys in ASCII armor that sign the index; required for `aplinfo`, and for a "
        "folder without TLS",
    )
    ca: str | None = Field(
        None,
        pattern=r"^\s*-----BEGIN CERTIFICATE-----\n",
        description="Authorities in PEM to trust for the address, instead of the system's",
    )

    @model_validator(mode="after")
    def _check_proof(self) -> TemplateSource:
        if self.kind == "simplestreams" and self.keyring:
            raise conflict("simplestreams has no signature that a keyring could check")
        if self.kind == "aplinfo" and not self.keyring:
            raise conflict("an aplinfo index is signed: keyring is missing")
        if self.kind != "directory" and not self.url.startswith(("http://", "https://")):
            raise conflict("only a directory may be a path of the node")
        if self.url.startswith("http://") and not self.keyring:
            raise conflict("without TLS (https) or a keyring nothing vouches for the catalogue")
        return self


def _default_sources() -> tuple[TemplateSource, ...]:
    known: dict[str, Any] = LINUX_CONTAINERS.model_dump(exclude_defaults=True)
    return (TemplateSource(**known),)


class Templates(Table):
    """Templates that the node fetches at its first boot."""

    fetch: tuple[TemplateName, ...] = Field(
        (), description='Templates by name, like "debian/13/amd64"'
    )
    sources: tuple[TemplateSource, ...] = Field(
        _default_sources(),
        description="Where to fetch from, asked in this order; default: linuxcontainers.org",
    )

    @model_validator(mode="after")
    def _check_names(self) -> Templates:
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise conflict("two sources have the same name")
        return self
