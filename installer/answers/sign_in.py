"""The [sign-in] table, Slipway's: a directory whose people may sign in, and a second factor."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from installer.answers.table import Line, OneOrMany, Table, conflict, refuse

# What separates or quotes names in sssd.conf and sudoers, or makes a number of one.
UNUSABLE = frozenset(',"\\@#%:=!+')


def _directory_server(value: str) -> str:
    if not re.fullmatch(r"ldaps?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?/?", value):
        raise refuse('a server of the directory, like "ldaps://ldap.example.com"')
    return value


def _group(value: str) -> str:
    if not value.isprintable() or value != value.strip() or not value or set(value) & UNUSABLE:
        raise refuse(
            "the name of a group on one line, without any of " + " ".join(sorted(UNUSABLE))
        )
    return value


def _bind_password(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or not text.isprintable() or text != text.strip():
        raise refuse("one line of printable text, without blanks around it")
    return value


Servers = Annotated[
    tuple[Annotated[str, AfterValidator(_directory_server)], ...],
    Field(min_length=1),
    OneOrMany(),
]
Groups = Annotated[tuple[Annotated[str, AfterValidator(_group)], ...], OneOrMany()]


class Directory(Table):
    """An LDAP directory or an Active Directory."""

    kind: Literal["ldap", "ldap-rfc2307bis", "ad"] = Field(
        description="How it describes groups. `ldap`: by the names of their members "
        "(`memberUid`, RFC 2307), `ldap-rfc2307bis`: by their entries (`member`), `ad`: an Active "
        "Directory"
    )
    uri: Servers = Field(
        description="Its servers, each asked when those before it do not answer: `ldaps://…`, or "
        "`ldap://…`, which is encrypted by StartTLS"
    )
    base: Line = Field(description='Where it is searched, like "dc=example,dc=com"')
    bind_dn: Line | None = Field(
        None, description="Account that the node searches with; without one it asks anonymously"
    )
    bind_password: Annotated[SecretStr, AfterValidator(_bind_password)] | None = Field(
        None, description="Password of that account"
    )
    ca: str | None = Field(
        None,
        pattern=r"^\s*-----BEGIN CERTIFICATE-----\n",
        description="Authorities in PEM to trust for its servers, instead of the system's",
    )
    viewers: Groups = Field((), description="Groups whose members may look")
    operators: Groups = Field((), description="Groups whose members may look and run guests")
    administrators: Groups = Field((), description="Groups whose members may do everything")

    @property
    def groups(self) -> tuple[str, ...]:
        """All groups whose members may sign in."""
        return tuple(dict.fromkeys((*self.viewers, *self.operators, *self.administrators)))

    @model_validator(mode="after")
    def _check_together(self) -> Directory:
        if (self.bind_dn is None) != (self.bind_password is None):
            raise conflict("bind-dn and bind-password go together")
        if not self.groups:
            raise conflict(
                "nobody may sign in without a group in viewers, operators or administrators"
            )
        return self


class SignIn(Table):
    """Who may sign in beside the node's own accounts, and what a password is not enough for."""

    second_factor: Literal["none", "totp"] = Field(
        "none",
        description="`totp`: who signs in with a password, over SSH or in Cockpit, also needs the "
        "code of an authenticator app",
    )
    directory: Directory | None = Field(None, description="A directory whose people may sign in")
