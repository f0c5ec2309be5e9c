"""The [first-boot] and [post-installation-webhook] tables, all of the Proxmox format."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, model_validator

from installer.answers.table import Fingerprint, Table, WebAddress, conflict


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
