"""What runs or is told besides the installation.

[first-boot] and [post-installation-webhook] are of the Proxmox format, [webhook] is Slipway's.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from installer.answers.table import Fingerprint, Table, WebAddress, conflict, refuse


def _token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise refuse("a token of ASCII characters without spaces")
    return value


class FirstBoot(Table):
    """A program that the node runs once, at its first boot."""

    source: Literal["from-iso", "from-url"] = Field(
        description="From the installation medium, or fetched"
    )
    url: WebAddress | None = Field(None, description="Where from; needed with `from-url`")
    cert_fingerprint: Fingerprint | None = Field(
        None, description="SHA-256 of the server's certificate"
    )
    ordering: Literal["before-network", "network-online", "fully-up"] = Field(
        "fully-up", description="When in the boot it runs"
    )

    @model_validator(mode="after")
    def _check_url(self) -> FirstBoot:
        if self.source == "from-url" and self.url is None:
            raise conflict("source from-url needs url")
        return self


class PostInstallationWebhook(Table):
    """A POST that reports a finished installation."""

    url: WebAddress = Field(description="Where to")
    cert_fingerprint: Fingerprint | None = Field(
        None, description="SHA-256 of the server's certificate"
    )
    auth_token: SecretStr | None = Field(None, description="Sent along as the field `token`")


class Webhook(Table):
    """POSTs when an installation starts, has succeeded, or has failed."""

    url: WebAddress = Field(description="Where to")
    cert_fingerprint: Fingerprint | None = Field(
        None, description="SHA-256 of the server's certificate"
    )
    token: Annotated[SecretStr, AfterValidator(_token)] | None = Field(
        None, description="Sent as `Authorization: Bearer TOKEN`; needs https"
    )

    @model_validator(mode="after")
    def _check_token(self) -> Webhook:
        if self.token is not None and not self.url.startswith("https://"):
            raise conflict("a token needs an address that starts with https://")
        return self
