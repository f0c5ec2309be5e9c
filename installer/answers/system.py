"""The [global] table, and Slipway's [system] and [[users]]: who the node is and who may log in."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import TZPATH

from pydantic import AfterValidator, Discriminator, Field, SecretStr, Tag, model_validator

from agent.core.errors import SlipwayError
from installer.answers.addresses import FullName
from installer.answers.hosts import Host
from installer.answers.network import FqdnFromDhcp
from installer.answers.table import Line, Table, WebAddress, conflict, refuse

Keyboard = Literal[
    "de",
    "de-ch",
    "dk",
    "en-gb",
    "en-us",
    "es",
    "fi",
    "fr",
    "fr-be",
    "fr-ca",
    "fr-ch",
    "hu",
    "is",
    "it",
    "jp",
    "lt",
    "mk",
    "nl",
    "no",
    "pl",
    "pt",
    "pt-br",
    "se",
    "si",
    "tr",
]
# The expression of the HTML standard for <input type=email>.
EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
# What the Proxmox format's own example uses; nobody reads it.
UNUSABLE_EMAIL = "mail@example.invalid"
MINIMUM_PASSWORD = 8


@cache
def _tzdata_column(name: str, column: int) -> tuple[str, ...]:
    """One column of a table of the time zone database. Raises SlipwayError without one."""
    for folder in TZPATH:
        path = Path(folder, name)
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            return tuple(sorted(x.split("\t")[column] for x in lines if x and x[0] != "#"))
    raise SlipwayError(
        f"{name} of the time zone database was not found", hint="install the package tzdata"
    )


def countries() -> tuple[str, ...]:
    """The ISO 3166 codes of all countries, in lower case."""
    return tuple(code.lower() for code in _tzdata_column("iso3166.tab", 0))


def timezones() -> tuple[str, ...]:
    """The names of all time zones, "Europe/Vienna", and UTC."""
    return (*_tzdata_column("zone.tab", 2), "UTC")


def _country(value: str) -> str:
    if value not in countries():
        raise refuse('the ISO code of a country in lower case, like "at"')
    return value


def _timezone(value: str) -> str:
    if value not in timezones():
        raise refuse('a time zone, like "Europe/Vienna", or "UTC"')
    return value


def _email(value: str) -> str:
    if not EMAIL.fullmatch(value) or value == UNUSABLE_EMAIL:
        raise refuse('an e-mail address that is read, like "admin@example.com"')
    return value


def _password(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < MINIMUM_PASSWORD or not text.isprintable():
        raise refuse(f"{MINIMUM_PASSWORD} or more printable characters")
    return value


def _hash(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"\$[!-9;-~]+", value.get_secret_value()):
        raise refuse('the output of "openssl passwd -6" or "mkpasswd"; it starts with "$"')
    return value


def _ssh_key(value: str) -> str:
    if "\0" in value or not value.strip():
        raise refuse("one or more lines as in authorized_keys")
    return value.strip()


def _parameter(value: str) -> str:
    if not re.fullmatch(r"[!-~]+", value):
        raise refuse("one kernel parameter without spaces; give several as a list")
    return value


def _proxy(value: str) -> str:
    # It is written to files that every user of the node can read.
    if "@" in value:
        raise refuse("the address of a proxy without a user name or password")
    return value


def _full_name(value: str) -> str:
    # The field separator of passwd(5).
    if ":" in value:
        raise refuse("a name without a colon")
    return value


def _fqdn_kind(value: Any) -> str:
    return "name" if isinstance(value, str) else "from-dhcp"


Password = Annotated[SecretStr, AfterValidator(_password)]
PasswordHash = Annotated[SecretStr, AfterValidator(_hash)]
SshKey = Annotated[str, AfterValidator(_ssh_key)]
Command = Annotated[tuple[str, ...], Field(min_length=1)]
KernelParameter = Annotated[str, AfterValidator(_parameter)]
Fqdn = Annotated[
    Annotated[FullName, Tag("name")] | Annotated[FqdnFromDhcp, Tag("from-dhcp")],
    Discriminator(_fqdn_kind),
]


def _country_schema(schema: dict[str, Any]) -> None:
    schema["enum"] = list(countries())


def _timezone_schema(schema: dict[str, Any]) -> None:
    schema["enum"] = list(timezones())


class Global(Table):
    """Who the node is, and how root logs in."""

    country: Annotated[str, AfterValidator(_country)] = Field(
        description="ISO code of the country, in lower case", json_schema_extra=_country_schema
    )
    fqdn: Fqdn = Field(description="Full name of the node, or a table that takes it from DHCP")
    keyboard: Keyboard = Field(description="Layout of the keyboard")
    mailto: Annotated[str, AfterValidator(_email)] = Field(
        description="E-mail address of the administrator"
    )
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(
        description="Time zone", json_schema_extra=_timezone_schema
    )
    root_password: Password | None = Field(
        None, description="Password of root; either this or `root-password-hashed`"
    )
    root_password_hashed: PasswordHash | None = Field(
        None, description="Password of root as a crypt(3) hash"
    )
    root_ssh_keys: tuple[SshKey, ...] = Field((), description="Public SSH keys of root")
    reboot_on_error: bool = Field(False, description="Reboot when the installation fails")
    reboot_mode: Literal["reboot", "power-off"] = Field(
        "reboot", description="What to do when the installation has finished"
    )
    subscription_key: SecretStr | None = Field(
        None, description="Accepted and not used: there are no subscriptions"
    )

    @model_validator(mode="after")
    def _check_password(self) -> Global:
        if (self.root_password is None) == (self.root_password_hashed is None):
            raise conflict("exactly one of root-password and root-password-hashed is needed")
        return self


class System(Table):
    """How the node is set up beyond the Proxmox format."""

    ntp_servers: tuple[Host, ...] = Field(
        (), description="Time servers, and no others; default: those of Debian, or of the lease"
    )
    proxy: Annotated[WebAddress, AfterValidator(_proxy)] | None = Field(
        None, description="HTTP proxy of the node for packages and templates"
    )
    kernel_parameters: tuple[KernelParameter, ...] = Field(
        (), description="Added to the node's kernel command line"
    )
    commands: tuple[Command, ...] = Field(
        (),
        description="Commands run in the target before the reboot, each a list of words: "
        '["systemctl", "enable", "my.service"]. One that fails is an error',
    )


class User(Table):
    """One `[[users]]` table: an account beside root."""

    name: str = Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$", description="Login name")
    full_name: Annotated[Line, AfterValidator(_full_name)] | None = Field(
        None, description="Name of the person"
    )
    password: Password | None = Field(None, description="Password; without one only keys work")
    password_hashed: PasswordHash | None = Field(None, description="Password as a crypt(3) hash")
    ssh_keys: tuple[SshKey, ...] = Field((), description="Public SSH keys")
    groups: tuple[Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")], ...] = Field(
        (),
        description='Further groups: "sudo" for administrators, "libvirt" for guests. An '
        "administrator who has no password needs none for sudo",
    )

    @model_validator(mode="after")
    def _check_login(self) -> User:
        if self.name == "root":
            raise conflict("root belongs in [global]")
        if self.password is not None and self.password_hashed is not None:
            raise conflict("give password or password-hashed, not both")
        if self.password is None and self.password_hashed is None and not self.ssh_keys:
            raise conflict("a password or an SSH key is needed to log in")
        return self
